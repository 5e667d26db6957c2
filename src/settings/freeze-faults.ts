import type { Fault, Path } from '../config/fault.ts';
import { didYouMean } from '../config/nearest.ts';
import { count, show } from '../config/words.ts';
import { instantOf, readCron } from '../rollout/freeze.ts';
import { durationFaults, fault } from './fault.ts';
import type { FreezeFile } from './to-rollout.ts';

/** What a JSON Schema can't say of freeze windows. */
export function* freezeFaults(windows: readonly FreezeFile[]): Generator<Fault> {
  for (const [i, window] of windows.entries()) {
    const path = ['rollout', 'freeze', String(i)];
    const zone = [...zoneFaults([...path, 'zone'], window.zone)];
    yield* zone;
    yield* timeFaults(path, zone.length === 0 ? window : { ...window, zone: 'UTC' });
  }
}

function* zoneFaults(path: Path, zone: string): Generator<Fault> {
  const isOffset = /^[+-]/.test(zone);
  if (!isOffset && isZone(zone)) return;
  const hint = isOffset ? null : didYouMean(zone, [...Intl.supportedValuesOf('timeZone'), 'UTC']);
  yield fault(
    path,
    `${path.join('.')}: there is no time zone ${show(zone)}`,
    hint ?? 'a name of the IANA list, as in Europe/Berlin, or UTC',
  );
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0) !== '';
  } catch {
    return false;
  }
}

function* timeFaults(path: Path, { from, to, cron, for: length, zone }: FreezeFile): Generator<Fault> {
  const given = Object.entries({ from, to, cron, for: length }).filter(([, value]) => value !== undefined);
  const keys = given.map(([key]) => key).join(' and ');
  if (from !== undefined && to !== undefined && given.length === 2) yield* onceFaults(path, { from, to, zone });
  else if (cron !== undefined && length !== undefined && given.length === 2)
    yield* cronFaults(path, { cron, length, zone });
  else
    yield fault(
      path,
      `${path.join('.')} has ${keys === '' ? 'no times' : keys}, where two keys belong together`,
      'from and to, for once; or cron and for, for again and again',
    );
}

function* onceFaults(path: Path, { from, to, zone }: { from: string; to: string; zone: string }): Generator<Fault> {
  const [start, end] = [instantOf(from, zone), instantOf(to, zone)];
  for (const [key, local, instant] of [
    ['from', from, start],
    ['to', to, end],
  ] as const)
    if (instant === null)
      yield fault(
        [...path, key],
        `${path.join('.')}.${key}: ${show(local)} is no local date and time`,
        'as in 2026-12-24T00:00; what it is an hour of is said by zone',
      );
  if (start !== null && end !== null && end <= start)
    yield fault([...path, 'to'], `${path.join('.')}.to: ${to} is not after from, ${from}`, 'it ends after it begins');
}

function* cronFaults(
  path: Path,
  { cron, length, zone }: { cron: string; length: string; zone: string },
): Generator<Fault> {
  const reason = whyNoCron(cron, zone);
  if (reason !== null)
    yield fault(
      [...path, 'cron'],
      `${path.join('.')}.cron: ${show(cron)} ${reason}`,
      "minute, hour, day of the month, month, day of the week, as in '0 16 * * 5': each Friday at 16:00",
    );
  yield* durationFaults([...path, 'for'], length, '1m', '366d');
}

function whyNoCron(cron: string, zone: string): string | null {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5) return `has ${count(cron.trim() === '' ? 0 : fields.length, 'field')}, not 5`;
  try {
    return readCron(cron, zone).nextRun(new Date(0)) === null ? 'never comes' : null;
  } catch (error) {
    return `is no cron expression: ${(error as Error).message.replace(/^CronPattern: /, '').slice(0, 200)}`;
  }
}
