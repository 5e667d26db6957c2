import { isCollection, isMap, isScalar, isSeq, LineCounter } from 'yaml';
import type { Pair, ParsedNode, YAMLMap } from 'yaml';
import type { Fault, Located, Path } from './fault.ts';

/** A 1-based line and column (UTF-16 code units). */
export interface Position {
  readonly line: number;
  readonly column: number;
}

type Entries = ReadonlyMap<string, Pair<ParsedNode, ParsedNode | null>>;

/** Turns offsets and paths of one text into positions. Counts lines only when first asked. */
export class Places {
  readonly #text: string;
  #lines: LineCounter | null = null;
  readonly #entries = new WeakMap<YAMLMap, Entries>();

  constructor(text: string) {
    this.#text = text;
  }

  /** The position of the character at `offset`. */
  at(offset: number): Position {
    this.#lines ??= countLines(this.#text);
    const { line, col } = this.#lines.linePos(Math.min(offset, this.#text.length));
    return { line, column: col };
  }

  /** The fault with the position of its path under `root` or, where that doesn't exist, of the nearest key above it. */
  locate({ path, at, ...rest }: Fault, root: ParsedNode | null): Located {
    return { ...rest, ...this.at(this.#offsetOf(path, at, root)) };
  }

  /** The source of the scalar at `path`, or null when there is none. */
  sourceOf(path: Path, root: ParsedNode | null): string | null {
    const node = this.#descend(path, root).value;
    return isScalar(node) && typeof node.source === 'string' ? node.source : null;
  }

  #offsetOf(path: Path, at: 'key' | 'value', root: ParsedNode | null): number {
    const { key, value } = this.#descend(path, root);
    const node = at === 'value' && value !== null && !isMissing(value) ? value : (key ?? value);
    return node?.range[0] ?? 0;
  }

  #descend(path: Path, root: ParsedNode | null): { key: ParsedNode | null; value: ParsedNode | null } {
    let here: { key: ParsedNode | null; value: ParsedNode | null } = { key: null, value: root };
    for (const step of path) {
      const next = this.#child(here.value, step);
      if (next === null) return here;
      here = next;
    }
    return here;
  }

  #child(node: ParsedNode | null, step: string): { key: ParsedNode | null; value: ParsedNode | null } | null {
    if (isSeq<ParsedNode>(node)) {
      const item = node.items[Number(step)];
      return item === undefined ? null : { key: null, value: item };
    }
    if (!isMap<ParsedNode, ParsedNode | null>(node)) return null;
    return this.#entriesOf(node).get(step) ?? null;
  }

  /** A map's pairs by key, built once: many faults may lie in one big map. */
  #entriesOf(map: YAMLMap<ParsedNode, ParsedNode | null>): Entries {
    const known = this.#entries.get(map);
    if (known !== undefined) return known;
    const entries = new Map(map.items.map((pair) => [keyText(pair.key), pair]));
    this.#entries.set(map, entries);
    return entries;
  }
}

/** A key as the data has it. */
export function keyText(key: ParsedNode): string {
  return isScalar(key) ? String(key.value) : '';
}

/** True for an empty value (`customer:`): its key is the better position. */
function isMissing(node: ParsedNode): boolean {
  return !isCollection(node) && 'source' in node && node.source === '';
}

function countLines(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) lines.addNewLine(end + 1);
  return lines;
}
