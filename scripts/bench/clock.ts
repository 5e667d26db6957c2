/** Milliseconds of the system's monotonic clock, with fractions: the same in all processes of this machine. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
