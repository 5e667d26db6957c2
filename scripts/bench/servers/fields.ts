/** The layer of the benchmark: so many customers. All servers make the same (go/main.go). */
export function makeFields(keys: number): Map<string, number> {
  const name = (at: number): string => `shuffle_sharding.customer.customer-${String(at).padStart(6, '0')}.shard_size`;
  return new Map(Array.from({ length: keys }, (_, at) => [name(at), 2 + (at % 7)]));
}

/** The version of the benchmark's release N: as long as a commit's SHA. */
export function versionOf(release: number): string {
  return release.toString(16).padStart(40, '0');
}

/** The layer of release N, made from the fields that do not change. */
export function makeLayer(fields: ReadonlyMap<string, number>, release: number): Map<string, number | string> {
  return new Map<string, number | string>(fields).set('shuffle_sharding.version', versionOf(release));
}
