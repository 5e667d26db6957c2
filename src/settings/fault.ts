import type { Fault, Path } from '../config/fault.ts';
import { toMilliseconds } from './duration.ts';

/** A fault unless the duration is between these two. */
export function* durationFaults(path: Path, duration: string, least: string, most: string): Generator<Fault> {
  const ms = toMilliseconds(duration);
  if (ms >= toMilliseconds(least) && ms <= toMilliseconds(most)) return;
  yield fault(path, `${path.join('.')}: ${duration} is too short or too long`, `from ${least} to ${most}`);
}

/** A fault of the value at `path`. */
export function fault(path: Path, message: string, hint: string): Fault {
  return { code: 'schema', path, at: 'value', message, hint };
}
