import { versionOf } from '../helpers/ids.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createStream, step, type StreamState } from '../../src/xds/stream/step.ts';
import {
  defaultStreamLimits,
  type Dialect,
  type Request,
  type StreamAction,
  type Target,
} from '../../src/xds/stream/types.ts';
import { RUNTIME_TYPE } from '../../src/release/encode.ts';

/** What happens next: the fleet offers, the client changes its mind, or one message in flight arrives. */
const happening = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('offer' as const), version: fc.constantFrom('v1', 'v2', 'bad') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('names' as const), names: fc.subarray(['runtime', 'x', 'y']) }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('request arrives' as const) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('response arrives' as const) }) },
);

/**
 * A client as Envoy is one: it answers each response in order, names what it wants by the newest nonce that it has seen, and
 * refuses the version `bad`; after that it is poisoned and refuses all other names until a good version.
 */
class Client {
  readonly sent: Request[] = [];
  readonly received: { nonce: string; name: string; version: string }[] = [];
  has: string | null = null;
  poisoned = false;
  names: string[];
  #nonce = '';
  readonly #dialect: Dialect;

  constructor(dialect: Dialect, names: string[]) {
    this.#dialect = dialect;
    this.names = names;
    this.#send({ subscribe: names, node: true });
  }

  change(names: string[]): void {
    const subscribe = names.filter((name) => !this.names.includes(name));
    const unsubscribe = this.names.filter((name) => !names.includes(name));
    if (unsubscribe.includes('runtime')) this.has = null;
    this.names = names;
    if (subscribe.length + unsubscribe.length > 0) this.#send({ subscribe, unsubscribe, spontaneous: true });
  }

  receive(): void {
    const response = this.received.shift();
    if (response === undefined) return;
    this.#nonce = response.nonce;
    const wanted = this.names.includes(response.name);
    const bad = response.name === 'runtime' ? response.version === 'bad' : this.poisoned;
    if (response.name === 'runtime' && wanted) this.poisoned = bad;
    if (response.name === 'runtime' && wanted && !bad) this.has = response.version;
    this.#send(wanted && bad ? { error: { code: 13, message: 'bad' } } : {});
  }

  #send(options: {
    subscribe?: string[];
    unsubscribe?: string[];
    error?: Request['error'];
    node?: true;
    spontaneous?: true;
  }): void {
    const { subscribe = [], unsubscribe = [], error = null, node, spontaneous } = options;
    const sotw = this.#dialect === 'sotw';
    this.sent.push({
      typeUrl: RUNTIME_TYPE,
      node: node ? { id: 'a', cluster: '', locality: '', userAgent: '', userAgentVersion: '', metadata: {} } : null,
      nonce: spontaneous && !sotw ? '' : this.#nonce,
      error,
      body: sotw
        ? { dialect: 'sotw', names: this.names, version: this.has ?? '' }
        : { dialect: 'delta', subscribe, unsubscribe, initialVersions: new Map() },
    });
  }
}

for (const dialect of ['sotw', 'delta'] as const) {
  test(`${dialect}: whatever the order of messages, the client ends up with the newest good target`, () => {
    fc.assert(
      fc.property(
        fc.subarray(['runtime', 'x', 'y'], { minLength: 1 }),
        fc.array(happening, { maxLength: 40 }),
        (names, happenings) => {
          const resources: Target['resources'] = new Map();
          let target: Target = { seq: 1, version: versionOf('v1'), resources };
          const state = createStream({ aggregated: true, resource: 'runtime', target, limits: defaultStreamLimits });
          const client = new Client(dialect, names);
          const pushes = new Map<string, number>();
          const carryOut = (actions: StreamAction[]): void => {
            for (const action of actions) {
              if (action.type === 'send')
                client.received.push({ nonce: action.nonce, name: 'runtime', version: action.target.version });
              if (action.type === 'send_absent')
                client.received.push({ nonce: action.nonce, name: action.name, version: action.target.version });
              if (action.type === 'send') pushes.set(action.nonce, (pushes.get(action.nonce) ?? 0) + 1);
            }
            // A nonce names a push, not a message: to a SotW client that drops the resource and asks for it again it is sent a
            // second time under the same nonce, and a request that was under way looks like the answer to that.
            const most = dialect === 'sotw' ? 2 : 1;
            assert.ok(client.received.length <= most, 'no more than that are unanswered');
          };
          const offer = (version: string): void => {
            target = { seq: target.seq + 1, version: versionOf(version), resources };
            carryOut(step(state, { type: 'offer', target }));
          };
          const arrive = (): void => {
            const request = client.sent.shift();
            if (request) carryOut(step(state, { type: 'request', request }));
          };
          for (const next of happenings) {
            if (next.type === 'offer') offer(next.version);
            if (next.type === 'names') client.change(next.names);
            if (next.type === 'request arrives') arrive();
            if (next.type === 'response arrives') client.receive();
          }
          offer('good');
          for (let round = 0; client.sent.length + client.received.length > 0; round += 1) {
            assert.ok(round < 200, 'it comes to rest');
            arrive();
            client.receive();
          }
          assert.equal(client.has, client.names.includes('runtime') ? 'good' : null);
          assert.ok(!client.poisoned || !client.names.includes('runtime'));
          assertSettled(state, client);
        },
      ),
      { numRuns: 2000 },
    );
  });
}

function assertSettled({ subscription: runtime }: StreamState, client: Client): void {
  assert.equal(runtime.unanswered, null);
  assert.deepEqual([...runtime.names].sort(), [...client.names].sort());
  assert.ok(![...(runtime.absent?.values() ?? [])].includes('owed'));
}
