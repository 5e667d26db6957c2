import type { Version } from '../ids.ts';
import type { RevisionsMemory } from '../revisions/state.ts';
import type { Candidate } from '../rollout/candidate.ts';
import type { RolloutMemory } from '../rollout/state.ts';

/** The durable part of the state, all but the connected nodes: one small JSON value, from which a restart resumes. */
export interface Memory {
  readonly revisions: RevisionsMemory;
  readonly rollout: RolloutMemory;
}

/** Versions whose bytes are needed: the candidate, the live release, and what a rollback goes back to. */
export function servedVersions({ rollout: { candidate, live } }: Pick<Memory, 'rollout'>): Set<Version> {
  const fallback = live === null || live.proven ? null : live.fallback;
  return new Set([candidate?.version ?? null, live?.version ?? null, fallback].filter((version) => version !== null));
}

/** Versions whose history is never pruned. */
export function keptVersions(memory: Memory): Set<Version> {
  const { revisions, rollout } = memory;
  const named = revisions.head === null ? [] : [revisions.head.version];
  return new Set([...servedVersions(memory), ...rollout.pins.map(({ version }) => version), ...named]);
}

/** The last process left no push unanswered or refused, so a node that claims the live release can be trusted. */
export function isCalm({ revisions: { head }, rollout: { live, candidate, pins, settled } }: Memory): boolean {
  const isSettled = candidate === null && live !== null && settled?.version === live.version && settled.isClean;
  return isSettled && pins.length === 0 && head?.outcome != null;
}

/** Every node is offered all of it. */
function isForAll(candidate: Candidate | null): boolean {
  return candidate !== null && candidate.reach.isEveryone && candidate.stage === null;
}

/**
 * What of a memory a restart can go on with. Releases whose bytes are lost can't be served, and are rolled out again when git has them;
 * so is a candidate that was judged by other settings.
 */
export function usable(memory: Memory, have: ReadonlySet<string>, judgedBy: string): Memory {
  const { live } = memory.rollout;
  const candidate = memory.revisions.judgedBy === judgedBy ? memory.rollout.candidate : null;
  const has = (version: Version | null): boolean => version !== null && have.has(version);
  const fallback = live === null || live.proven || !has(live.fallback) ? null : live.fallback;
  const kept = live === null || live.proven ? live : { ...live, fallback };
  // A stage needs the live release, too; and nodes that it has not reached have that.
  const isWhole = has(candidate?.version ?? null) && (isForAll(candidate) || has(live?.version ?? null));
  const rollout = { live: has(live?.version ?? null) ? kept : null, candidate: isWhole ? candidate : null };
  return { ...memory, rollout: { ...memory.rollout, ...rollout } };
}
