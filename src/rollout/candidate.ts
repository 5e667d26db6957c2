import type { Version } from '../ids.ts';
import type { Sums } from '../load/sums.ts';
import type { Frozen, Plan, Wave } from './plan.ts';
import { nobody, type Reach } from './reach.ts';

/** The release that is being rolled out: plain JSON, from which a restart goes on. Times are milliseconds since the epoch. */
export interface Candidate {
  /** The commit. */
  readonly version: Version;
  readonly plan: Plan;
  /** When its first wave began; before that, when it came. */
  readonly startedAt: number;
  /** The current wave's index; -1 before the first. */
  readonly wave: number;
  /** When it began. */
  readonly waveAt: number;
  readonly phase: Phase;
  readonly reach: Reach;
  /** How many members the wave was offered to. */
  readonly asked: number;
  /** How many of them must still have it when it has baked. */
  readonly needed: number;
  /** What the nodes in reach are offered: the commit, or a stage of it (`<commit>.<n>`). Null: there are none. */
  readonly offered: Version | null;
  /** Who uses it in the stage that is offered; null: all customers. */
  readonly stage: Stage | null;
  readonly paused: Pause | null;
  /** How the fleet did before: what checks compare with once everyone has it. */
  readonly baseline: Sums | null;
  /** Checks that have had a say, so that no wave ends without them. */
  readonly checks: readonly string[];
  /** Until when the first wave waits for the fleet; null: not yet. */
  readonly nodesUntil: number | null;
  /** An operator wants the next wave: only a freeze can stop it. */
  readonly isPromoted: boolean;
  /** An operator has accepted it despite this freeze: none stops it before that ends (`until` null: before another begins). Null: all do. */
  readonly freed: Frozen | null;
  /** An operator has promoted it to everyone: nothing bakes any more. */
  readonly isHurried: boolean;
  /** It was offered before a restart, and the fleet is not back yet. */
  readonly isResumed: boolean;
}

export type Phase =
  /** The next wave has not begun. */
  | { readonly type: 'waiting'; readonly reason: WaitReason; readonly until: number | null }
  /** The wave's nodes are offered it, and answer. */
  | { readonly type: 'pushing'; readonly deadline: number }
  | { readonly type: 'baking'; readonly until: number };

/** `nodes`: for the fleet to connect. `promotion`: for an operator. `freeze`: for the end of one. `start`: for nothing, it has just come. */
export type WaitReason = 'start' | 'nodes' | 'promotion' | 'freeze';

/** Which customers use the next view on all nodes. */
export interface Stage {
  /** 0 to 10,000. */
  readonly cutover: number;
  readonly first: readonly string[];
}

export interface Pause {
  readonly reason: 'operator' | 'no_data' | 'unanswered';
  readonly by: string;
  readonly why: string;
  readonly at: number;
  /** How long it still had to bake, in milliseconds; null: it was not baking. */
  readonly leftMs: number | null;
}

/** A candidate that nobody has yet. `checks`: those that it has to pass in any case. */
export function createCandidate(version: Version, plan: Plan, checks: readonly string[], at: number): Candidate {
  return {
    ...{ version, plan, startedAt: at, wave: -1, waveAt: at, phase: { type: 'waiting', reason: 'start', until: null } },
    ...{ reach: nobody, asked: 0, needed: 0, offered: null, stage: null, paused: null, baseline: null, checks },
    ...{ nodesUntil: null, isPromoted: false, freed: null, isHurried: false, isResumed: false },
  };
}

/** Everyone gets it, and nothing is waited for but their answers. */
export function isAtOnce({ plan }: Candidate): boolean {
  const [first] = plan.waves;
  return plan.waves.length === 1 && first?.bakeMs === 0 && !first.isManual;
}

export function isLastWave({ plan, wave }: Candidate): boolean {
  return wave === plan.waves.length - 1;
}

/** The current wave; null before the first. */
export function waveOf({ plan, wave }: Candidate): Wave | null {
  return plan.waves[wave] ?? null;
}

/** The stage after a wave: customers named by earlier waves stay, and the share never shrinks. Null: all customers. */
export function stageOf(before: Stage | null, { customers }: Wave): Stage | null {
  if (customers === null) return null;
  const { cutover, first } = before ?? { cutover: 0, first: [] };
  if (customers.type === 'named') return { cutover, first: [...new Set([...first, ...customers.ids])] };
  return { cutover: Math.max(cutover, Math.round(customers.share * 10_000)), first };
}

/** The commit of a version on the wire. */
export function commitOf(version: Version): Version {
  const end = version.indexOf('.');
  return end < 0 ? version : (version.slice(0, end) as Version);
}

/**
 * A candidate after a restart, before its nodes are back: they keep what they have. `deadline`: until then they are waited for, and
 * nothing goes on.
 */
export function resumeCandidate(candidate: Candidate, deadline: number): Candidate {
  const { phase } = candidate;
  const resumed = { ...candidate, nodesUntil: null, isResumed: true };
  switch (phase.type) {
    case 'pushing':
      return { ...resumed, phase: { type: 'pushing', deadline } };
    case 'baking':
      return { ...resumed, phase: { type: 'baking', until: Math.max(phase.until, deadline) } };
    case 'waiting':
      return { ...resumed, phase: phase.reason === 'nodes' ? { ...phase, until: null } : phase };
  }
}
