import type { NextView } from '../config/config.ts';
import { fmix32, murmur3_32 } from './murmur3.ts';

/** Why a customer uses the next view, or the current one. */
export type ViewReason = 'no-next-view' | 'named-first' | 'below-cutover' | 'above-cutover';

const salt = 0x6375746f;

/** The customer's place, 0 to 9,999: it uses the next view when the cutover is higher. The same for every release. */
export function cutoverOf(customer: string): number {
  return fmix32(murmur3_32(new TextEncoder().encode(customer), 0) ^ salt) % 10_000;
}

/** Which view a customer uses, and why. envoy/src/views.lua decides the same. */
export function chooseView(next: NextView | null, customer: string): { isNext: boolean; reason: ViewReason } {
  if (next === null) return { isNext: false, reason: 'no-next-view' };
  if (next.first.has(customer)) return { isNext: true, reason: 'named-first' };
  const isNext = cutoverOf(customer) < next.cutover;
  return { isNext, reason: isNext ? 'below-cutover' : 'above-cutover' };
}
