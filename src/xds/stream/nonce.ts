import type { Target } from './types.ts';

/**
 * The nonce of a response with the configured resource (`name` is null), or about another name. It is the same on all streams, so that
 * they can share the bytes.
 */
export function nonceOf({ seq }: Target, name: string | null): string {
  return name === null ? String(seq) : `${seq}/${name}`;
}
