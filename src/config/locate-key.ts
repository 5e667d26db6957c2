import { isMap, isScalar } from 'yaml';
import type { ParsedNode, YAMLMap } from 'yaml';
import { keyText, Places, type Position } from './place.ts';
import { decodeText } from './text.ts';
import { readYaml } from './yaml.ts';

interface Match {
  /** How many characters of the runtime key the path to `key` matches. */
  readonly length: number;
  readonly key: ParsedNode | null;
}

/**
 * Where in the file a runtime key comes from: the position of the YAML key that matches the longest part of it, since
 * Envoy names a nested path (`Invalid runtime entry value for a.b.c`) that the file may write as `a.b: {c: ...}`. Null when the
 * file doesn't have the key, or can't be read. Of a big file only `runtime:` is read, where refused keys are: parsing all of it
 * would block the event loop for seconds.
 */
export function locateKey(bytes: Uint8Array, runtimeKey: string): Position | null {
  const decoded = decodeText(bytes);
  if ('fault' in decoded) return null;
  const part = partOf(decoded.text);
  if (part.text.length > readAtOnce) return null;
  const places = new Places(part.text);
  const yaml = readYaml(part.text, places);
  if ('faults' in yaml) return null;
  const inRuntime = child(yaml.root, 'runtime');
  const matches = [longest(yaml.root, runtimeKey, 0), longest(inRuntime, runtimeKey, 0)];
  const [best] = matches.toSorted((a, b) => b.length - a.length);
  if (best?.key == null) return null;
  const { line, column } = places.at(best.key.range[0]);
  return { line: part.linesBefore + line, column };
}

/** Parsing this many characters takes some 0.1 s. */
const readAtOnce = 64 * 1024;

/** The text or, of a big one, its section `runtime:`, and the number of lines before it. */
function partOf(text: string): { readonly text: string; readonly linesBefore: number } {
  const start = text.length <= readAtOnce ? -1 : text.search(/^runtime:/m);
  if (start === -1) return { text, linesBefore: 0 };
  const rest = text.slice(start);
  const end = rest.search(/\n[^\s#]/);
  return { text: end === -1 ? rest : rest.slice(0, end + 1), linesBefore: text.slice(0, start).split('\n').length - 1 };
}

/** The longest match of `runtimeKey`, from index `start` on, among the keys below `node`. */
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
