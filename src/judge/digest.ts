import { createHash } from 'node:crypto';
import type { Json } from '../config/config.ts';
import { viewKey } from '../release/runtime-keys.ts';

/** A digest of what a release holds beside its version: a revert has that of what it goes back to. */
export function contentDigest(fields: ReadonlyMap<string, Json>): string {
  const content = [...fields].filter(([key]) => key !== viewKey('version'));
  // A replacer makes it four times slower, and 100,000 customers need none.
  const isPlain = content.every(
    ([, value]) => typeof value !== 'object' && (typeof value !== 'number' || isFinite(value)),
  );
  return createHash('sha256')
    .update(isPlain ? JSON.stringify(content) : JSON.stringify(content, nameNumber))
    .digest('hex');
}

/** JSON has no NaN and no infinities, a runtime value may. */
function nameNumber(_key: string, value: Json): Json {
  return typeof value === 'number' && !isFinite(value) ? { '\0number': String(value) } : value;
}
