import { isMap, isScalar } from 'yaml';
import type { ParsedNode, YAMLMap } from 'yaml';
import { keyText, Places, type Position } from './place.ts';
import { decodeText } from './text.ts';
import { readYaml } from './yaml.ts';

interface Match {
  /** How many characters of the runtime key the path down to `key` explains. */
  readonly length: number;
  readonly key: ParsedNode | null;
}

/**
 * Where in the file the runtime key comes from: the position of the YAML key that explains the longest part of it, for
 * Envoy names a nested path (`Invalid runtime entry value for a.b.c`) that the file may write as `a.b: {c: ...}`.
 * Null where the file has nothing of it, or can't be read. Reads the whole file anew: not for a hot path.
 */
export function locateKey(bytes: Uint8Array, runtimeKey: string): Position | null {
  const decoded = decodeText(bytes);
  if ('fault' in decoded) return null;
  const places = new Places(decoded.text);
  const yaml = readYaml(decoded.text, places);
  if ('faults' in yaml) return null;
  const inRuntime = child(yaml.root, 'runtime');
  const matches = [longest(yaml.root, runtimeKey, 0), longest(inRuntime, runtimeKey, 0)];
  const [best] = matches.toSorted((a, b) => b.length - a.length);
  return best?.key == null ? null : places.at(best.key.range[0]);
}

/** The longest match of `runtimeKey`, from its character `start` on, among the keys below `node`. */
function longest(node: ParsedNode | null, runtimeKey: string, start: number): Match {
  let best: Match = { length: start, key: null };
  for (const { key, value } of pairs(node)) {
    const name = keyText(key);
    const end = start + name.length;
    if (!runtimeKey.startsWith(name, start) || (end < runtimeKey.length && runtimeKey[end] !== '.')) continue;
    const below = longest(value, runtimeKey, Math.min(end + 1, runtimeKey.length));
    const match = below.key === null ? { length: end, key } : below;
    if (match.length > best.length) best = match;
  }
  return best;
}

function pairs(node: ParsedNode | null): YAMLMap<ParsedNode, ParsedNode | null>['items'] {
  return isMap<ParsedNode, ParsedNode | null>(node) ? node.items : [];
}

function child(node: ParsedNode, name: string): ParsedNode | null {
  return pairs(node).find(({ key }) => isScalar(key) && key.value === name)?.value ?? null;
}
