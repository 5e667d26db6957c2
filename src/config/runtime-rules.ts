import type { Json } from './config.ts';
import type { Fault, Path } from './fault.ts';
import { bounds } from './schema-file.ts';
import { show } from './words.ts';

/** A runtime key as Envoy sees it, and where in the file it comes from. */
interface Entry {
  readonly key: string;
  readonly path: Path;
  readonly value: Json;
}

interface Options {
  readonly exact: boolean;
  readonly sourceOf: (path: Path) => string | null;
}

/** Rules for the keys and values under `runtime:`. */
export function runtimeFaults(runtime: ReadonlyMap<string, Json>, { exact, sourceOf }: Options): Fault[] {
  const entries = [...runtime].flatMap(([key, value]) => [...leaves({ key, path: ['runtime', key], value })]);
  const paths = new Map<string, Path>();
  const faults: Fault[] = [];
  for (const entry of entries) {
    faults.push(...lengthFaults(entry), ...reservedFaults(entry));
    if (exact) faults.push(...exactFaults(entry, sourceOf));
    if (paths.has(entry.key)) faults.push(clash(entry, entry.key));
    else paths.set(entry.key, entry.path);
  }
  return [...faults, ...entries.flatMap((entry) => [...prefixFaults(entry, paths)])];
}

/**
 * Flattens a nested value as Envoy does (ProtoLayer::walkProtoValue in source/common/runtime/runtime_impl.cc): a mapping
 * becomes keys, unless it is empty or a fraction.
 */
function* leaves(entry: Entry): Generator<Entry> {
  const { key, path, value } = entry;
  if (!isMapping(value) || isFraction(value)) {
    yield entry;
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    yield* leaves({ key: `${key}.${name}`, path: [...path, name], value: inner });
  }
}

function isMapping(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFraction(value: Readonly<Record<string, Json>>): boolean {
  const keys = Object.keys(value);
  return keys.length === 0 || keys.includes('numerator') || keys.includes('denominator');
}

function* lengthFaults({ key, path }: Entry): Generator<Fault> {
  if (key.length <= bounds.runtimeKeyLength) return;
  const message = `the runtime key ${show(key)} has ${key.length} characters`;
  yield { code: 'schema', message, hint: `at most ${bounds.runtimeKeyLength}`, path, at: 'key' };
}

/**
 * Keys that change Envoy itself, for the whole process and not only this layer (runtime_features.cc, runtime_keys.cc):
 * a wrong one counts as a bug of Envoy, limits connections, or stays after it is taken away (1.36 and 1.37).
 */
const reserved: Readonly<Record<string, string>> = {
  shuffle_sharding: 'set it under `shuffle_sharding:`, at the top of the file',
  envoy: "Envoy's own feature flags belong in its bootstrap (a static_layer of layered_runtime)",
  re2: "Envoy's limits on regular expressions belong in its bootstrap (a static_layer of layered_runtime)",
  overload: "Envoy's limits on connections belong in its bootstrap (overload_manager)",
};

function* reservedFaults({ key, path }: Entry): Generator<Fault> {
  const namespace = key.split('.', 1)[0] ?? '';
  const hint = Object.hasOwn(reserved, namespace) ? reserved[namespace] : undefined;
  if (hint === undefined) return;
  const owner = namespace === 'shuffle_sharding' ? 'made from the section of that name' : 'reserved for Envoy itself';
  yield {
    code: 'reserved-key',
    message: `${show(key)}: runtime keys under ${namespace} are ${owner}`,
    hint,
    path,
    at: 'key',
  };
}

/** Envoy prints runtime numbers with 6 significant digits (absl::StrCat of a double), and the filters read that. */
function* exactFaults({ key, path, value }: Entry, sourceOf: Options['sourceOf']): Generator<Fault> {
  if (typeof value !== 'number') return;
  const source = sourceOf(path) ?? String(value);
  if (Number(value.toPrecision(6)) === value && significantDigits(source) <= 6) return;
  yield {
    code: 'number-not-exact',
    message: `${show(key)} is ${show(source).slice(1, -1)}, which Envoy rounds to ${Number(value.toPrecision(6))}: it keeps 6 significant digits`,
    hint: `quote it: ${show(isDecimal(source) ? source : String(value))}`,
    path,
    at: 'value',
  };
}

const decimal = /^[-+]?([0-9]*)(?:\.([0-9]*))?(?:[eE][-+]?[0-9]+)?$/;

function isDecimal(source: string): boolean {
  return decimal.test(source);
}

/** Significant digits of a decimal number as it is written; 0 for hexadecimal and octal, whose value says it. */
function significantDigits(source: string): number {
  const match = decimal.exec(source);
  const digits = `${match?.[1] ?? ''}${match?.[2] ?? ''}`;
  return digits.replace(/^0+/, '').replace(/0+$/, '').length;
}

/** A key with a value that is also a prefix of another key's path: readers disagree on which of them exists. */
function* prefixFaults(entry: Entry, paths: ReadonlyMap<string, Path>): Generator<Fault> {
  const key = entry.key.slice(0, bounds.runtimeKeyLength);
  for (let dot = key.indexOf('.'); dot !== -1; dot = key.indexOf('.', dot + 1)) {
    if (!paths.has(key.slice(0, dot))) continue;
    yield clash(entry, key.slice(0, dot));
    return;
  }
}

function clash({ key, path }: Entry, other: string): Fault {
  const message =
    key === other
      ? `the runtime key ${show(key)} is given twice, dotted and nested`
      : `the runtime key ${show(key)} is below ${show(other)}, which is a value`;
  return { code: 'key-clash', message, hint: 'rename or remove one of the two', path, at: 'key' };
}
