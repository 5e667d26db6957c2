import { createHash } from 'node:crypto';
import type { Json } from '../config/config.ts';
import { fieldsToJson } from './json.ts';

/** Contents that were live: so many, the newest. */
export const contentsKept = 1000;

/** The commit's own, in every release. */
const versionKey = 'shuffle_sharding.version';

/** What a release holds beside its version: a revert has the digest of what it goes back to. */
export function contentDigest(fields: ReadonlyMap<string, Json>): string {
  const content = new Map(fields);
  content.delete(versionKey);
  return createHash('sha256').update(fieldsToJson(content)).digest('hex');
}
