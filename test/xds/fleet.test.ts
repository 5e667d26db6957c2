import type { Version } from '../../src/ids.ts';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as settled } from 'node:timers/promises';
import { toRolloutEvent } from '../../src/daemon/streams.ts';
import type { PlaceOf } from '../../src/daemon/place-of.ts';
import type { SessionId } from '../../src/ids.ts';
import { RUNTIME_TYPE } from '../../src/release/encode.ts';
import { createRollout } from '../../src/rollout/state.ts';
import { nodeState } from '../../src/rollout/targets.ts';
import { step } from '../../src/rollout/step.ts';
import type { RolloutEvent, RolloutFact } from '../../src/rollout/types.ts';
import { createDelivery } from '../../src/xds/deliver.ts';
import { createStream, step as streamStep, type StreamState } from '../../src/xds/stream/step.ts';
import {
  defaultStreamLimits,
  type Dialect,
  type NodeIdentity,
  NO_RELEASE,
  type Request,
  type StreamAction,
  type Target,
} from '../../src/xds/stream/types.ts';
import { sessionOf, versionOf } from '../helpers/ids.ts';
import { runTranscript } from '../helpers/transcript.ts';

const folder = new URL('./', import.meta.url);
for (const file of readdirSync(folder).filter((name) => /^fleet-.*\.txt$/.test(name))) {
  // What the fleet decides, and who gets what, is the same in both dialects.
  for (const dialect of ['sotw', 'delta'] as const)
    test(`xDS fleet transcript ${file}, ${dialect}`, async () => {
      const scene = new Scene(dialect);
      await runTranscript(new URL(file, folder).pathname, (command) => scene.run(command));
    });
}

interface Stream {
  readonly id: SessionId;
  readonly node: NodeIdentity;
  readonly client: null;
  readonly state: StreamState;
  nonce: string | null;
  got: string;
}

/**
 * Stream steps and the daemon's fleet, joined by its own functions, with nodes that answer when they are told to.
 * Commands: release VERSION, retry VERSION, at SECONDS (with a tick), show, and for a node
 *   NODE joins | NODE leaves | NODE acks | NODE nacks WORDS   (its unanswered response)
 */
class Scene {
  readonly #dialect: Dialect;
  readonly #rollout = createRollout({ ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 0 });
  readonly #streams = new Map<string, Stream>();
  readonly #lines: string[] = [];
  readonly #failures: unknown[] = [];
  readonly #deliver = createDelivery<{ stream: Stream; action: StreamAction }>(
    ({ stream, action }) => {
      const event = toRolloutEvent(stream, action, { at: this.#at, placeOf });
      if (event) this.#apply(event);
    },
    (error) => void this.#failures.push(error),
  );
  #target: Target = { seq: 0, version: NO_RELEASE, resources: new Map() };
  #at = 0;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  async run(command: string): Promise<string[]> {
    const [word = '', verb = '', ...rest] = command.split(' ');
    if (word === 'show') return this.#show();
    if (word === 'at') this.#tick(Number(verb));
    else if (word === 'release' || word === 'retry') this.#release(word, verb);
    else this.#node(word, verb, rest.join(' '));
    await settled();
    assert.deepEqual(this.#failures, []);
    return this.#lines.splice(0);
  }

  #tick(seconds: number): void {
    this.#at = seconds * 1000;
    this.#apply({ type: 'tick', at: this.#at });
  }

  #release(how: 'release' | 'retry', version: string): void {
    this.#apply({ type: how, at: this.#at, version: versionOf(version) });
  }

  #node(id: string, verb: string, words: string): void {
    if (verb === 'joins') this.#join(id);
    const stream = this.#streams.get(id)!;
    const { state, nonce, node } = stream;
    if (verb === 'leaves') {
      this.#streams.delete(id);
      return this.#perform(stream, streamStep(state, { type: 'end' }));
    }
    if (verb !== 'joins' && nonce === null) throw new Error(`${id} has nothing to answer`);
    stream.nonce = null;
    const request = {
      typeUrl: RUNTIME_TYPE,
      node,
      nonce: nonce ?? '',
      error: verb === 'nacks' ? { code: 13, message: words } : null,
      body: this.#body(verb === 'joins'),
    };
    this.#perform(stream, streamStep(state, { type: 'request', request }));
  }

  /** SotW names all that it wants each time, delta only what is new. */
  #body(isFirst: boolean): Request['body'] {
    if (this.#dialect === 'sotw') return { dialect: 'sotw', names: ['runtime'], version: '' };
    return { dialect: 'delta', subscribe: isFirst ? ['runtime'] : [], unsubscribe: [], initialVersions: new Map() };
  }

  #join(id: string): void {
    const state = createStream({
      aggregated: false,
      resource: 'runtime',
      target: this.#target,
      limits: defaultStreamLimits,
    });
    const node = { id, cluster: '', locality: '', userAgent: '', userAgentVersion: '', metadata: {} };
    this.#streams.set(id, { id: sessionOf(id), node, client: null, state, nonce: null, got: '' });
  }

  #perform(stream: Stream, actions: StreamAction[]): void {
    for (const action of actions) {
      if (action.type === 'send') {
        stream.nonce = action.nonce;
        stream.got = action.target.version;
        this.#lines.push(`  ${stream.got} -> ${stream.id}`);
      }
      this.#deliver({ stream, action });
    }
  }

  #apply(event: RolloutEvent): void {
    const { facts, effects } = step(this.#rollout, event);
    this.#lines.push(...facts.flatMap(toLines));
    for (const { version } of effects) this.#offer(version ?? NO_RELEASE);
  }

  #offer(version: Version): void {
    this.#target = { seq: this.#target.seq + 1, version, resources: new Map() };
    for (const stream of this.#streams.values())
      this.#perform(stream, streamStep(stream.state, { type: 'offer', target: this.#target }));
  }

  #show(): string[] {
    const { live, candidate } = this.#rollout;
    const nodes = [...this.#streams.values()].map(
      ({ id, got }) => `${id} ${nodeState(this.#rollout, sessionOf(id))}, last got ${got}`,
    );
    return [`live ${live?.version ?? 'none'}, candidate ${candidate?.version ?? 'none'}`, ...nodes];
  }
}

const placeOf: PlaceOf = () => ({ key: null, file: 'f', line: 1, column: 1 });

function toLines(fact: RolloutFact): string[] {
  switch (fact.type) {
    case 'offered':
      return [`offer ${fact.version}`];
    case 'nothing_to_offer':
      return ['offer null'];
    case 'superseded':
    case 'rolled_back':
      return [`${fact.version} ${fact.type}`];
    case 'live':
      return fact.isNew ? [`${fact.version} live`] : [];
    case 'still_pinned':
      return [`${fact.version} still pinned: ${fact.cause.type === 'refused' ? fact.cause.message : ''}`];
    case 'unanswered':
      return [`${fact.node} has not answered ${fact.version}`];
    default:
      return [];
  }
}
