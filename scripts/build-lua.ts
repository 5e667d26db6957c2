import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The parts of each filter, in envoy/src/, in order. */
const recipes = {
  shardplane:
    'shardplane.head names hash view packed views json reader rank cache shard publish request shardplane.main',
  runtime_bridge: 'runtime_bridge.head names hash view packed views json reader cache publish runtime_bridge.main',
  shuffle_shard: 'shuffle_shard.head names hash view rank cache shard request shuffle_shard.main',
} as const;

/** A filter of envoy/. */
export type LuaFilter = keyof typeof recipes;

export const luaFilterNames = Object.keys(recipes) as LuaFilter[];

/** The path of the built filter. */
export function luaFile(name: string): string {
  return fileURLToPath(new URL(`../envoy/${name}.lua`, import.meta.url));
}

/** The filter's text, put together from its parts. */
export function buildLua(name: LuaFilter): string {
  const parts = recipes[name].split(/\s+/).map((part) => readFileSync(luaFile(`src/${part}`), 'utf8'));
  return parts.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const name of luaFilterNames) writeFileSync(luaFile(name), buildLua(name));
