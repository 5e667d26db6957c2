import type { Target } from './types.ts';

/**
 * The nonce of a response. It names the push, so that all streams can share its bytes: that of the configured resource (null), or
 * that about another name.
 */
export function nonceOf({ seq }: Target, name: string | null): string {
  return name === null ? String(seq) : `${seq}/${name}`;
}
