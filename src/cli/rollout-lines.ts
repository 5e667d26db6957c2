import pc from 'picocolors';
import { because, listSome, printable, toTime } from '../config/words.ts';
import type { CheckStatus, RolloutStatus, Status } from '../http/api.ts';
import { duration } from '../daemon/describe-plan.ts';

interface Format {
  readonly color: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Colors = ReturnType<typeof pc.createColors>;

/** Older daemons have neither. */
type Shown = Partial<Pick<Status, 'rollout' | 'freeze'>>;

/** The rollout under way and the freeze, as lines of the status: where it is, for how long, what it waits for, what to do. */
export function formatRollout({ rollout = null, freeze = null }: Shown, { color, now }: Format): string[] {
  const colors = pc.createColors(color);
  return [
    ...(rollout === null ? [] : formatWaves(rollout, colors, now)),
    ...(freeze === null ? [] : formatFreeze(freeze, colors)),
  ];
}

function formatWaves(rollout: RolloutStatus, colors: Colors, now: number): string[] {
  const { waves, paused, waitsFor, hint } = rollout;
  const isWaved = waves.length > 1 || rollout.phase === 'baking';
  return [
    ...(isWaved ? [...waveLines(rollout, now), ...checkLines(rollout, colors)] : []),
    ...(paused === null ? [] : [`paused ${colors.red(pauseLine(paused, now))}`]),
    ...(waitsFor === null ? [] : [`waits  for ${printable(waitsFor)}`]),
    `       ${hint}`,
  ];
}

function waveLines({ wave, waves, strategy, reason, nodes, customers, waveAt }: RolloutStatus, now: number): string[] {
  const why = reason === null ? '' : `: ${printable(reason)}`;
  const current = printable((waves[wave - 1] ?? '').replace(/, once promoted$/, ''));
  const next = waves[wave];
  return [
    `wave   ${wave === 0 ? `before the first` : wave} of ${waves.length} (strategy ${printable(strategy)}${why})`,
    ...(wave === 0
      ? []
      : [
          `       now:  ${current}; begun ${age(waveAt, now)} ago`,
          `       ${nodes.reached} of ${nodes.connected} nodes have it${describeCustomers(customers)}`,
        ]),
    ...(next === undefined ? [] : [`       next: ${printable(next)}`]),
  ];
}

function describeCustomers(customers: RolloutStatus['customers']): string {
  if (customers === null) return '';
  const { percent, named } = customers;
  const names = named.length === 0 ? [] : [listSome(named.map(printable))];
  return `, for ${[...names, ...(percent > 0 ? [`${percent} % of the customers`] : [])].join(' and ')}`;
}

function checkLines({ checks, checksOff }: RolloutStatus, colors: Colors): string[] {
  const off = checksOff === null ? [] : [`check  errors is off: ${printable(checksOff)}`];
  return [...checks.flatMap((check) => formatCheck(check, colors)), ...off];
}

const marks = { pass: 'pass', fail: 'FAIL', no_data: 'no data' };

function formatCheck({ name, verdicts, message }: CheckStatus, colors: Colors): string[] {
  const paint = { pass: colors.green, fail: colors.red, no_data: colors.yellow };
  const shown = verdicts.map((verdict) => paint[verdict](marks[verdict])).join(', ');
  const words = printable(message);
  return shown === ''
    ? [`check  ${printable(name)}: ${words}`]
    : [`check  ${printable(name)}: ${shown}`, `       ${words}`];
}

function pauseLine({ by, why, since }: NonNullable<RolloutStatus['paused']>, now: number): string {
  return `by ${printable(by)} ${age(since, now)} ago${because(printable(why))}`;
}

function formatFreeze({ until, reason, by }: NonNullable<Status['freeze']>, colors: Colors): string[] {
  const end = until === null ? 'until shardplane unfreeze' : `until ${toTime(Date.parse(until))}`;
  const who = by === null ? 'by the settings' : `by ${printable(by)}`;
  return [
    `frozen ${colors.yellow(`${end}, ${who}${because(printable(reason))}`)}`,
    '       no wave begins, and new commits are held; shardplane unfreeze ends it',
  ];
}

/** The daemon may run on another clock. */
function age(since: string, now: number): string {
  return duration(Math.max(0, now - Date.parse(since)));
}
