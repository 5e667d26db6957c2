import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' }) => void;

let collect: Collect | null = null;

/**
 * Collects young garbage, in about a millisecond. Node's HTTP/2 allocates a buffer for each read from a socket. They are garbage at once, but
 * V8 collects the young generation by its own size, not by theirs; meanwhile they add up, and it marks the whole heap instead.
 */
export function collectYoung(): void {
  collect ??= findCollect();
  collect({ type: 'minor' });
}

function findCollect(): Collect {
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('typeof gc === "function" ? gc : null') as Collect | null;
  setFlagsFromString('--no-expose-gc');
  return found ?? (() => undefined);
}
