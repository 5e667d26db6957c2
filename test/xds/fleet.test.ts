import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { createRollout, nodeState } from '../../src/rollout/state.ts';
import { step as rolloutStep } from '../../src/rollout/step.ts';
import type { RolloutAction, RolloutEvent } from '../../src/rollout/types.ts';
import { createStream, step as streamStep, type StreamState } from '../../src/xds/stream/step.ts';
import {
  defaultStreamLimits,
  type Dialect,
  type Request,
  type StreamAction,
  type Target,
} from '../../src/xds/stream/types.ts';
import { runTranscript } from '../helpers/transcript.ts';
import { RUNTIME_TYPE } from '../../src/release/encode.ts';

const folder = new URL('./', import.meta.url);
for (const file of readdirSync(folder).filter((name) => /^fleet-.*\.txt$/.test(name))) {
  // What the fleet decides, and who gets what, is the same in both dialects.
  for (const dialect of ['sotw', 'delta'] as const)
    test(`xDS fleet transcript ${file}, ${dialect}`, () => {
      const fleet = new Fleet(dialect);
      runTranscript(new URL(file, folder).pathname, (command) => fleet.run(command));
    });
}

/**
 * The stream step and the rollout step together, as the daemon joins them, with nodes that answer when they are told to.
 * Commands: release VERSION, retry VERSION, at SECONDS (with a tick), show, and for a node
 *   NODE joins | NODE leaves | NODE acks | NODE nacks WORDS   (its unanswered response)
 */
class Fleet {
  readonly #dialect: Dialect;
  readonly #rollout = createRollout(30_000);
  readonly #streams = new Map<string, { state: StreamState; nonce: string | null; got: string }>();
  readonly #lines: string[] = [];
  #target: Target = { seq: 0, version: 'none' };
  #at = 0;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  run(command: string): string[] {
    const [word = '', verb = '', ...rest] = command.split(' ');
    if (word === 'show') return this.#show();
    if (word === 'at') this.#tick(Number(verb));
    else if (word === 'release' || word === 'retry') this.#apply({ type: word, at: this.#at, version: verb });
    else this.#node(word, verb, rest.join(' '));
    return this.#lines.splice(0);
  }

  #tick(seconds: number): void {
    this.#at = seconds * 1000;
    this.#apply({ type: 'tick', at: this.#at });
  }

  #node(id: string, verb: string, words: string): void {
    if (verb === 'joins') this.#join(id);
    const node = this.#streams.get(id)!;
    const { state, nonce } = node;
    if (verb === 'leaves') {
      this.#streams.delete(id);
      return this.#perform(id, streamStep(state, { type: 'end' }));
    }
    if (verb !== 'joins' && nonce === null) throw new Error(`${id} has nothing to answer`);
    node.nonce = null;
    const request = {
      typeUrl: RUNTIME_TYPE,
      node: { id, cluster: '', locality: '', userAgent: '', userAgentVersion: '' },
      nonce: nonce ?? '',
      error: verb === 'nacks' ? { code: 13, message: words } : null,
      body: this.#body(verb === 'joins'),
    };
    this.#perform(id, streamStep(state, { type: 'request', request }));
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
    this.#streams.set(id, { state, nonce: null, got: '' });
  }

  #perform(id: string, actions: StreamAction[]): void {
    for (const action of actions) {
      const at = this.#at;
      const base = { at, session: id };
      if (action.type === 'joined') this.#apply({ type: 'joined', ...base, node: id });
      if (action.type === 'left') this.#apply({ type: 'left', ...base });
      if (action.type === 'acked') this.#apply({ type: 'acked', ...base, version: action.target.version });
      if (action.type === 'nacked')
        this.#apply({ type: 'nacked', ...base, version: action.target.version, ...action.error });
      if (action.type === 'send') {
        const node = this.#streams.get(id)!;
        node.nonce = action.nonce;
        node.got = action.target.version;
        this.#lines.push(`  ${action.target.version} -> ${id}`);
        this.#apply({ type: 'sent', ...base, version: action.target.version });
      }
    }
  }

  #apply(event: RolloutEvent): void {
    for (const action of rolloutStep(this.#rollout, event)) {
      const line = toLine(action);
      if (line !== null) this.#lines.push(line);
      if (action.type === 'offer') this.#offer(action.version ?? 'none');
    }
  }

  #offer(version: string): void {
    this.#target = { seq: this.#target.seq + 1, version };
    for (const [id, { state }] of this.#streams)
      this.#perform(id, streamStep(state, { type: 'offer', target: this.#target }));
  }

  #show(): string[] {
    const { live, candidate } = this.#rollout;
    const nodes = [...this.#streams].map(([id, { got }]) => `${id} ${nodeState(this.#rollout, id)}, last got ${got}`);
    return [`live ${live?.version ?? 'none'}, candidate ${candidate?.version ?? 'none'}`, ...nodes];
  }
}

function toLine(action: RolloutAction): string | null {
  switch (action.type) {
    case 'offer':
      return `offer ${action.version}`;
    case 'outcome':
      return `${action.version} ${action.outcome}`;
    case 'still_pinned':
      return `${action.version} still pinned: ${action.refusal.message}`;
    case 'unanswered':
      return `${action.node} has not answered ${action.version}`;
    default:
      return null;
  }
}
