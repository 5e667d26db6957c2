import { setImmediate as turn } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';
import type { ShardConfig } from '../config/config.ts';

/** A config with its long lists in parts that are each quick to read: `v8.serialize` of some entries, in buffers of their own. */
export interface ConfigParts extends Omit<ShardConfig, 'customers' | 'deals' | 'runtime'> {
  readonly customers: readonly Uint8Array<ArrayBuffer>[];
  readonly deals?: readonly Uint8Array<ArrayBuffer>[];
  readonly runtime: readonly Uint8Array<ArrayBuffer>[];
}

/** Entries in one part: less than 1 ms to deserialize. */
const partSize = 2_000;

export function toParts({ customers, deals, runtime, ...rest }: ShardConfig): ConfigParts {
  const dealt = deals && { deals: split([...deals]) };
  return { ...rest, ...dealt, customers: split([...customers]), runtime: split([...runtime]) };
}

/** One part per turn of the event loop. */
export async function fromParts({ customers, deals, runtime, ...rest }: ConfigParts): Promise<ShardConfig> {
  const dealt = deals && { deals: await join<number>(deals) };
  return { ...rest, ...dealt, customers: await join(customers), runtime: await join(runtime) };
}

function split(entries: readonly (readonly [string, unknown])[]): Uint8Array<ArrayBuffer>[] {
  const count = Math.ceil(entries.length / partSize);
  return Array.from({ length: count }, (_, at) => alone(serialize(entries.slice(at * partSize, (at + 1) * partSize))));
}

async function join<T>(parts: readonly Uint8Array[]): Promise<ReadonlyMap<string, T>> {
  const entries = new Map<string, T>();
  for (const part of parts) {
    for (const [key, value] of deserialize(part) as [string, T][]) entries.set(key, value);
    await turn();
  }
  return entries;
}

/** A copy with its own buffer, which can be transferred. */
export function alone(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
