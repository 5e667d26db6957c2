import type { Open, RevisionsMemory, RevisionsState } from '../revisions/state.ts';
import { createRollout, maxStagesLost } from '../rollout/state.ts';
import { aimOf } from '../rollout/targets.ts';
import type { RolloutMemory, RolloutState } from '../rollout/state.ts';
import { reaches } from '../rollout/reach.ts';
import { mute } from '../rollout/votes.ts';
import type { Memory } from './memory.ts';
import type { State } from './state.ts';

/** How many of each kind are kept after merging, newest first. */
const maxKept = 1_000;

/**
 * Merges in the memory of a ledger that could not be read at the start: everything in it is older than the state. If nothing is offered
 * yet, its release is; returns whether that happened. `open`: as for `createState`. `now`: milliseconds since the epoch.
 */
export function adopt({ revisions, rollout }: State, memory: Memory, open: Open, now: number): boolean {
  adoptRevisions(revisions, memory.revisions, open);
  const { pins, muted, pushes, members } = memory.rollout;
  adoptPins(rollout, pins);
  for (const node of muted) mute(rollout, node);
  rollout.pushes = Math.max(rollout.pushes, pushes);
  rollout.stages = Math.max(rollout.stages, (memory.rollout.stages ?? 0) + maxStagesLost);
  rollout.freeze ??= memory.rollout.freeze ?? null;
  rollout.thawedUntil ??= memory.rollout.thawedUntil ?? null;
  if (rollout.offeredTo.length === 0) rollout.offeredTo.push(...members);
  if (aimOf(rollout) === null) resume(rollout, memory.rollout, now);
  else return false;
  return aimOf(rollout) !== null;
}

function adoptRevisions(revisions: RevisionsState, memory: RevisionsMemory, open: Open): void {
  const { accepted, contents, decided } = revisions;
  addOlder(accepted, memory.accepted);
  addOlder(contents, memory.contents);
  for (const { version, before } of open)
    if (!decided.has(version) && !revisions.open.has(version)) revisions.open.set(version, before);
  if (revisions.hasMoved) return;
  revisions.head = memory.head;
  revisions.taken = memory.taken;
  revisions.remembered = memory.taken;
  revisions.released = memory.released ?? null;
}

function addOlder(set: Set<string>, older: readonly string[]): void {
  const all = [...older.filter((each) => !set.has(each)), ...set].slice(-maxKept);
  set.clear();
  for (const each of all) set.add(each);
}

/** An old pin doesn't end the current offer: the fleet will refuse it again, or not. */
function adoptPins(rollout: RolloutState, pins: RolloutMemory['pins']): void {
  const { pins: own, live } = rollout;
  const served = [aimOf(rollout), live?.version];
  const older = pins.filter(({ version }) => !own.has(version) && !served.includes(version));
  const all = [...older.map(({ version, cause }) => [version, cause] as const), ...own].slice(-maxKept);
  own.clear();
  for (const [version, cause] of all) own.set(version, cause);
}

/** Resumes that rollout like a start would, and awaits the nodes that are connected already. */
function resume(rollout: RolloutState, memory: RolloutMemory, now: number): void {
  const { live, candidate, checks, awaited, gathering, settled } = createRollout(rollout.settings, memory, now);
  Object.assign(rollout, { live, candidate, checks, awaited, gathering, settled });
  if (aimOf(rollout) === null) return;
  for (const [session, node] of rollout.nodes) {
    node.isReached = candidate !== null && reaches(candidate.reach, node.labels);
    if (!rollout.muted.has(node.id)) rollout.waiting.set(session, now + rollout.settings.ackTimeoutMs);
  }
}
