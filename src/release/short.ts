/** The first digits of a version, as `x-shard-version` has them: for people. */
export function short(version: string): string {
  return version.slice(0, 12);
}
