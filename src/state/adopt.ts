import type { Open, RevisionsMemory, RevisionsState } from '../revisions/state.ts';
import { createRollout, targetOf } from '../rollout/state.ts';
import type { RolloutMemory, RolloutState } from '../rollout/state.ts';
import { mute } from '../rollout/votes.ts';
import type { Memory } from './memory.ts';
import type { State } from './state.ts';

/** A late memory adds to what is remembered already; so many of each are kept, the newest. */
const keptAtMost = 1_000;

/**
 * Takes in the memory of a ledger that could not be read at the start: all of it is older than what has happened since. Where nothing
 * is on offer, its releases are: returns whether that is so. `open`: as for `createState`. `now`: milliseconds since the epoch.
 */
export function adopt({ revisions, rollout }: State, memory: Memory, open: Open, now: number): boolean {
  adoptRevisions(revisions, memory.revisions, open);
  const { pins, muted, pushes, members } = memory.rollout;
  adoptPins(rollout, pins);
  for (const node of muted) mute(rollout, node);
  rollout.pushes = Math.max(rollout.pushes, pushes);
  if (rollout.offeredTo.length === 0) rollout.offeredTo.push(...members);
  if (targetOf(rollout) === null) goOn(rollout, memory.rollout, now);
  else return false;
  return targetOf(rollout) !== null;
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
  const all = [...older.filter((each) => !set.has(each)), ...set].slice(-keptAtMost);
  set.clear();
  for (const each of all) set.add(each);
}

/** What is offered now is not called off by what was refused before: the fleet says the same of it again, or better. */
function adoptPins(rollout: RolloutState, pins: RolloutMemory['pins']): void {
  const { pins: own, live } = rollout;
  const served = [targetOf(rollout), live?.version];
  const older = pins.filter(({ version }) => !own.has(version) && !served.includes(version));
  const all = [...older.map(({ version, refusal }) => [version, refusal] as const), ...own].slice(-keptAtMost);
  own.clear();
  for (const [version, refusal] of all) own.set(version, refusal);
}

/** As a start with that memory would; who is connected already is to get it. */
function goOn(rollout: RolloutState, memory: RolloutMemory, now: number): void {
  const { live, candidate, awaited, gathering, settled } = createRollout(rollout.settings, memory, now);
  Object.assign(rollout, { live, candidate, awaited, gathering, settled });
  if (targetOf(rollout) === null) return;
  for (const [session, { id }] of rollout.nodes)
    if (!rollout.muted.has(id)) rollout.waiting.set(session, now + rollout.settings.ackTimeoutMs);
}
