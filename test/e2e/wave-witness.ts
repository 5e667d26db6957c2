import { createHash } from 'node:crypto';
import { inWaveOrder, orderOf } from '../helpers/documented-hash.ts';
import type { Push } from './kill-node.ts';

/** The node.ids of the fleet, first of all in the order of waves. */
export const fleet = inWaveOrder(['node-1', 'node-2', 'node-3', 'node-4', 'node-5', 'node-6']);
/** They refuse a commit now and then, and a wave may count on others instead; these never do. */
export const refusers = [fleet[0]!, fleet[4]!];
/** The node that the strategy `manual` begins with; the rest waits for an operator, and there is none. */
const chosen = fleet[4]!;

/** Strategies of the daemon, and whom each of their waves has at the most: as many as it says of those that never refuse. */
export const strategies = {
  nodes: {
    waves: [{ nodes: 1, bake: '150ms' }, { nodes: '50%', bake: '100ms' }, { bake: '100ms' }],
    reach: [fleet.slice(0, 2), fleet.slice(0, 4), fleet],
  },
  customers: {
    waves: [
      { nodes: 1, bake: '100ms' },
      { customers: ['acme'], bake: '100ms' },
      { customers: '50%', bake: '100ms' },
      { bake: '0s' },
    ],
    reach: [fleet.slice(0, 2), fleet, fleet, fleet],
  },
  manual: {
    waves: [{ nodes: { id: chosen }, bake: '50ms' }, { promote: 'manual' }],
    reach: [[chosen], [chosen]],
  },
} as const;

export type Strategy = keyof typeof strategies | 'all-at-once';

/** A commit that the daemon may push. */
export interface Made {
  /** Its place among the commits. */
  readonly count: number;
  readonly strategy: Strategy;
  /** The node that refuses it. */
  readonly refusedBy: string | null;
}

interface Seen extends Omit<Push, 'content'> {
  readonly digest: string;
}

/** Sees all pushes to all nodes in one order, and says what must not be. */
export class WaveWitness {
  readonly #pushes: Seen[] = [];

  readonly onPush = ({ content, ...push }: Push): void => {
    this.#pushes.push({ ...push, digest: createHash('sha256').update(content).digest('hex') });
  };

  get count(): number {
    return this.#pushes.length;
  }

  /** Who was pushed the commit, whole or as a stage. */
  whoGot(commit: string): Set<string> {
    return new Set(this.#of(commit).map(({ node }) => node));
  }

  whoTook(commit: string): Set<string> {
    return new Set(this.#of(commit).flatMap(({ node, isRefused }) => (isRefused ? [] : [node])));
  }

  whoRefused(commit: string): Set<string> {
    return new Set(this.#of(commit).flatMap(({ node, isRefused }) => (isRefused ? [node] : [])));
  }

  violations(made: ReadonlyMap<string, Made>): string[] {
    return [...this.#contents(), ...this.#waves(made), ...fleet.flatMap((node) => this.#flaps(node, made))];
  }

  #of(commit: string): Seen[] {
    return this.#pushes.filter(({ version }) => commitOf(version) === commit);
  }

  /** A version is one content, on all nodes and over restarts. */
  #contents(): string[] {
    const digests = new Map<string, string>();
    return this.#pushes.flatMap(({ version, digest }) => {
      const known = digests.get(version) ?? digest;
      digests.set(version, known);
      return known === digest ? [] : [`${version} has two contents`];
    });
  }

  /** Nobody gets a commit before some of the wave before have accepted it: half of those that a wave counts on. */
  #waves(made: ReadonlyMap<string, Made>): string[] {
    const took = new Map<string, Set<string>>();
    return this.#pushes.flatMap(({ node, version, isRefused }) => {
      const commit = commitOf(version);
      const { strategy = 'all-at-once', count = 0 } = made.get(commit) ?? {};
      const takers = took.get(commit) ?? new Set();
      took.set(commit, takers);
      const bad = strategy === 'all-at-once' ? null : whyEarly(strategies[strategy].reach, node, takers);
      if (!isRefused) takers.add(node);
      return bad === null ? [] : [`${version} (${count}, ${strategy}) was pushed to ${node}, ${bad}`];
    });
  }

  /** What goes to all at once, and a rollback, waits for no disk: killed before it is written, a commit is pushed once more. */
  #mayReturn(commit: string, made: ReadonlyMap<string, Made>): boolean {
    return made.get(commit)?.strategy === 'all-at-once' || this.whoRefused(commit).size > 0;
  }

  /** Once a node has a commit, it has nothing older before it has done with it; stages count up, and end with all of it. */
  #flaps(node: string, made: ReadonlyMap<string, Made>): string[] {
    const versions = this.#pushes.filter((push) => push.node === node).map(({ version }) => version);
    const place = (version: string): number => made.get(commitOf(version))?.count ?? Infinity;
    return versions.flatMap((version, at) => {
      const before = versions.slice(0, at).findLastIndex((each) => commitOf(each) === commitOf(version));
      if (before < 0) return [];
      const between = versions.slice(before + 1, at).find((each) => place(each) < place(version));
      if (between !== undefined && !this.#mayReturn(commitOf(version), made))
        return [`${node} had ${version}, then the older ${between}, and ${version} again`];
      const [last, now] = [stageOf(versions[before]!), stageOf(version)];
      const isWhole = versions.slice(0, before).some((each) => commitOf(each) === commitOf(version) && stageOf(each));
      const isBack = now < last && now > 0;
      return isBack || (isWhole && last === 0 && now > 0) ? [`${node} had ${versions[before]!}, then ${version}`] : [];
    });
  }
}

function whyEarly(reach: readonly (readonly string[])[], node: string, takers: ReadonlySet<string>): string | null {
  const wave = reach.findIndex((nodes) => nodes.includes(node));
  if (wave < 0) return 'which no wave reaches';
  const accepted = (reach[wave - 1] ?? []).filter((each) => takers.has(each)).length;
  return accepted >= wave ? null : `of wave ${wave + 1}, when ${accepted} of the wave before had accepted it`;
}

/** Whom a candidate has reached by its place in the order, as the ledger has it. */
export function upTo(place: number): string[] {
  return fleet.filter((id) => orderOf(id) <= place);
}

export function commitOf(version: string): string {
  return version.split('.')[0] ?? '';
}

/** 0: the whole commit. */
function stageOf(version: string): number {
  return Number(version.split('.')[1] ?? 0);
}
