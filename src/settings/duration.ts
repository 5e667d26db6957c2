const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `30s`, `5m`, `1h`, `30d` in milliseconds. The schema has checked the form; anything else is NaN. */
export function toMilliseconds(duration: string): number {
  const [, number = 'NaN', unit = ''] = /^([0-9.]+)(ms|s|m|h|d)$/.exec(duration) ?? [];
  return Math.round(Number(number) * (unitsMs[unit] ?? Number.NaN));
}

/** Bounds of a timer: a shorter one would keep a processor busy, and Node fires one of more than 2^31 ms at once. */
const intervalMs = { least: 100, most: 24 * 86_400_000 };

/** Whether a timer can be set to it. */
export function isInterval(duration: string): boolean {
  const milliseconds = toMilliseconds(duration);
  return milliseconds >= intervalMs.least && milliseconds <= intervalMs.most;
}
