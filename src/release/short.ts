/** The first 12 digits of a version, as in `x-shard-version`. */
export function short(version: string): string {
  return version.slice(0, 12);
}
