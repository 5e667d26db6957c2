import { countHolders } from './members.ts';
import { endWave, rollBack, settle } from './decide.ts';
import { pause } from './pause.ts';
import { aimOf } from './targets.ts';
import { frozenAt, lasts } from './frozen.ts';
import type { Rollout } from './turn.ts';
import type { CommandEvent } from './types.ts';
import { waitForData } from './verdicts.ts';
import { bake } from './waves.ts';

/** Carries out an operator's command. An abort works always, a promotion not while the rollout is paused. */
export function command(rollout: Rollout, event: CommandEvent): void {
  const { by, why } = event;
  switch (event.type) {
    case 'pause':
      return pause(rollout, { reason: 'operator', by, why });
    case 'resume':
      return resume(rollout, event);
    case 'promote':
      return promote(rollout, event);
    case 'abort':
      if (rollout.state.candidate !== null) rollBack(rollout, { type: 'aborted', by, why });
      return;
    case 'freeze':
      if (rollout.state.candidate !== null) rollout.state.candidate = { ...rollout.state.candidate, freed: null };
      rollout.state.freeze = { by, why, at: rollout.at, until: event.until };
      rollout.facts.push({ type: 'frozen', version: aimOf(rollout.state), by, why, until: event.until });
      return;
    case 'unfreeze':
      return unfreeze(rollout, event);
  }
}

function resume(rollout: Rollout, { by, why }: CommandEvent): void {
  const { state, at, facts } = rollout;
  const { candidate } = state;
  if (candidate?.paused == null) return;
  const { version, phase, paused } = candidate;
  const deadline = at + state.settings.ackTimeoutMs;
  const resumed = { ...candidate, paused: null };
  if (phase.type === 'pushing') state.candidate = { ...resumed, phase: { type: 'pushing', deadline } };
  else if (phase.type === 'baking') {
    // Those that are gone are no longer asked for.
    const needed = Math.min(candidate.needed, paused.reason === 'unanswered' ? countHolders(state) : Infinity);
    state.candidate = { ...resumed, needed, phase: { type: 'baking', until: at + (paused.leftMs ?? 0) } };
  } else state.candidate = resumed;
  waitForData(state, at);
  facts.push({ type: 'resumed', version, by, why });
  if (paused.reason === 'unanswered' && phase.type === 'pushing') bake(rollout);
  settle(rollout);
}

/** Ends the current wave, whatever its checks say; `all`: the next one is the last, and nothing bakes any more. */
function promote(rollout: Rollout, { by, why, all }: Extract<CommandEvent, { type: 'promote' }>): void {
  const { state, facts } = rollout;
  const { candidate } = state;
  if (candidate === null || candidate.paused !== null || (candidate.phase.type === 'pushing' && !all)) return;
  state.candidate = { ...candidate, isPromoted: true, isHurried: candidate.isHurried || all };
  facts.push({ type: 'promoted', version: candidate.version, all, by, why });
  if (candidate.phase.type !== 'pushing' || candidate.wave < candidate.plan.waves.length - 1) endWave(rollout);
  settle(rollout);
}

/** Ends an operator's freeze, and the window that is in force. */
function unfreeze(rollout: Rollout, { by, why }: CommandEvent): void {
  const { state, at, facts } = rollout;
  state.freeze = null;
  state.thawedUntil = null;
  state.thawedUntil = frozenAt(state, at)?.until ?? null;
  facts.push({ type: 'unfrozen', version: aimOf(state), by, why });
  settle(rollout);
}

/** An operator's freeze ends by itself at its time. */
export function endFreeze({ state, at, facts }: Rollout): void {
  if (state.freeze === null || lasts(state.freeze, at)) return;
  state.freeze = null;
  facts.push({ type: 'unfrozen', version: aimOf(state), by: 'shardplane', why: 'its time is over' });
}
