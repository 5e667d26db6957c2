import { nearest } from '../config/nearest.ts';
import { printable } from '../config/words.ts';
import type { ShardConfig } from '../config/config.ts';
import { CliError } from './exit.ts';

/**
 * The slots (from 0) that a list names: numbers from 1, ranges of them (`3-6`), addresses as in the config (or without the port: all of
 * that machine). Throws CliError with exit code 2.
 */
export function toSlots(list: string, config: ShardConfig): ReadonlySet<number> {
  const words = list.split(',').map((word) => word.trim());
  return new Set(words.filter((word) => word !== '').flatMap((word) => slotsOf(word, config)));
}

function slotsOf(word: string, { totalHosts, hosts }: ShardConfig): number[] {
  const [, first, last = first] = /^([0-9]{1,7})(?:-([0-9]{1,7}))?$/.exec(word) ?? [];
  if (first === undefined) return slotsAt(word, hosts);
  const [from, to] = [Number(first), Number(last)];
  if (from >= 1 && from <= to && to <= totalHosts) return Array.from({ length: to - from + 1 }, (_, i) => from - 1 + i);
  throw unknown(`there is no host ${word}: hosts count from 1 to ${totalHosts}`, 'as in x-shard-assignment');
}

function slotsAt(word: string, hosts: ShardConfig['hosts']): number[] {
  const shown = printable(word).slice(0, 60);
  if (hosts === null)
    throw unknown(`${shown} is not a host’s number`, 'this config lists no addresses: give numbers, as in --hosts 3,7');
  const slots = [...hosts.entries()].filter(([, host]) => host !== '' && (host === word || withoutPort(host) === word));
  if (slots.length > 0) return slots.map(([slot]) => slot);
  const near = nearest(word, hosts);
  throw unknown(
    `no host of the config is ${shown}`,
    near === null ? 'give its number, or ip:port' : `did you mean ${near}?`,
  );
}

/** `[::1]:80` and `10.0.0.1:80` without the port. */
function withoutPort(host: string): string {
  return host.replace(/:[0-9]+$/, '').replace(/^\[(.*)\]$/, '$1');
}

function unknown(message: string, hint: string): CliError {
  return new CliError(message, { exitCode: 2, hint });
}
