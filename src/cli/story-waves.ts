import { toTime } from '../config/words.ts';
import type { StoryEvent } from '../ledger/store.ts';

type Detail = StoryEvent['detail'];

/** The start of a wave. */
export function describeStart(detail: Detail): string {
  return `${waveOf(detail)}: pushed to ${String(detail.nodes)} of ${String(detail.connected)} nodes${customersOf(detail)}`;
}

/** An event of a gradual rollout, or of one that an operator has to do with. */
export function describeRollout({ type, by, detail }: StoryEvent): string {
  const who = by === null ? '' : ` by ${by}`;
  const why = because(detail.why);
  switch (type) {
    case 'wave_skipped':
      return `${waveOf(detail)}: skipped, it would reach no node`;
    case 'wave_waits':
      return `${waveOf(detail)}: waits for ${describeWait(detail)}`;
    case 'baking':
      return `${waveOf(detail)}: bakes until ${toTime(Number(detail.until))}`;
    case 'check':
      return `check ${String(detail.name)}: ${String(detail.verdict).replace('_', ' ')}, ${String(detail.message)}`;
    case 'promoted':
      return `promoted${who}${detail.all === true ? ' to everyone' : ''}${why}`;
    case 'frozen':
      return `frozen${who}${detail.until == null ? '' : ` until ${toTime(Number(detail.until))}`}${why}`;
    case 'paused':
    case 'resumed':
    case 'unfrozen':
      return `${type}${who}${why}`;
    default:
      return `${type}${who}`;
  }
}

/** Why it was pinned, besides a refusal, which has a line of its own. */
export function describePin({ check, aborted }: Detail): string {
  if (check != null) {
    const { name, message } = check as { name: string; message: string };
    return ` by check ${name}: ${message}`;
  }
  return aborted == null ? '' : `, aborted${because((aborted as { why: unknown }).why)}`;
}

function describeWait({ reason, detail, until }: Detail): string {
  const end = until == null ? '' : `, until ${toTime(Number(until))}`;
  const more = typeof detail === 'string' ? ` (${detail})` : '';
  switch (reason) {
    case 'promotion':
      return 'an operator to promote it';
    case 'freeze':
      return `the end of a freeze${more}${end}`;
    default:
      return `nodes to connect${more}${end}`;
  }
}

function waveOf({ strategy, wave, waves }: Detail): string {
  return `${String(strategy)}, wave ${String(wave)} of ${String(waves)}`;
}

function customersOf({ customers }: Detail): string {
  return typeof customers === 'number' ? `, for ${customers} % of the customers` : '';
}

function because(why: unknown): string {
  return typeof why === 'string' && why !== '' ? `: ${why}` : '';
}
