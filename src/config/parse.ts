import type { ParsedNode } from 'yaml';
import { readCommon } from './common.ts';
import type { Json, ShardConfig } from './config.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Located } from './fault.ts';
import { Places } from './place.ts';
import { ruleFaults } from './rules.ts';
import type { SchemaValidator } from './schema.ts';
import { decodeText } from './text.ts';
import { toTree } from './tree.ts';
import { oddSpaceHint } from './slips.ts';
import { count } from './words.ts';
import { readYaml } from './yaml.ts';

/** At most so many diagnostics are given for a file; the last then says how many more there are. */
export const maxDiagnostics = 100;

/** What `parseConfig` makes of a file: a config and no diagnostics, or no config and at least one. */
export interface ParsedConfig {
  readonly config: ShardConfig | null;
  /** In the order of their positions. */
  readonly diagnostics: readonly Diagnostic[];
}

interface Options {
  readonly file: string;
  readonly validate: SchemaValidator;
}

/** The file's data, and what its places are found with: `root` is null where it was read the quick way. */
interface Document {
  readonly root: ParsedNode | null;
  readonly data: Json;
  readonly places: Places;
}

type Checked = { readonly config: ShardConfig; readonly faults: readonly [] } | Faulty;

interface Faulty {
  readonly config: null;
  readonly faults: readonly Located[];
}

/**
 * The bytes of a shard-config.yaml to a valid config (design: "The file"). Never throws; a fault of one step (text,
 * YAML, schema, rules) hides those of the steps after it. What is written as nearly all files are, and has no fault, is read
 * in a tenth of the time: places are only found where something is wrong.
 */
export function parseConfig(bytes: Uint8Array, options: Options): ParsedConfig {
  const quick = quickly(bytes, options.validate);
  return quick === null ? parseClosely(bytes, options) : { config: quick.config, diagnostics: [] };
}

/** The same without the quick way: for the test that compares the two. */
export function parseClosely(bytes: Uint8Array, options: Options): ParsedConfig {
  const { config, faults } = closely(bytes, options.validate);
  if (config !== null) return { config, diagnostics: [] };
  return { config, diagnostics: toDiagnostics(withSpaces(faults, bytes), options.file) };
}

/** Null where the file is written in another way, or has a fault. */
function quickly(bytes: Uint8Array, validate: SchemaValidator): Checked | null {
  const decoded = decodeText(bytes);
  if ('fault' in decoded) return null;
  const data = readCommon(decoded.text);
  if (data === null) return null;
  const checked = check({ root: null, data, places: new Places(decoded.text) }, validate);
  return checked.config === null ? null : checked;
}

function closely(bytes: Uint8Array, validate: SchemaValidator): Checked {
  const decoded = decodeText(bytes);
  if ('fault' in decoded) return { config: null, faults: [decoded.fault] };
  const places = new Places(decoded.text);
  const yaml = readYaml(decoded.text, places);
  if ('faults' in yaml) return { config: null, ...yaml };
  const { data, faults } = toTree(yaml.root, decoded.text, { places });
  return faults.length > 0 ? { config: null, faults } : check({ root: yaml.root, data, places }, validate);
}

function check({ root, data, places }: Document, validate: SchemaValidator): Checked {
  const wrong = validate.faults(data);
  if (wrong.length > 0) return { config: null, faults: wrong.map((fault) => places.locate(fault, root)) };
  const written = data as unknown as WrittenConfig;
  const config = toConfig(written);
  const faults = ruleFaults(config, {
    totalHosts: written.shuffle_sharding.total_hosts ?? null,
    exact: validate.builtin,
    sourceOf: (path) => places.sourceOf(path, root),
  });
  return faults.length > 0
    ? { config: null, faults: faults.map((fault) => places.locate(fault, root)) }
    : { config, faults: [] };
}

/** The data's shape once the schema has passed it (schema-file.ts: `neededShape`). */
interface WrittenConfig {
  readonly shuffle_sharding: {
    readonly total_hosts?: number;
    readonly default_shard_size: number;
    readonly customer?: Readonly<Record<string, { readonly shard_size: number }>>;
    readonly hosts?: readonly WrittenHost[];
  };
  readonly runtime?: Readonly<Record<string, Json>>;
}

type WrittenHost = string | { readonly address: string; readonly drain?: boolean };

function toConfig({ shuffle_sharding: section, runtime }: WrittenConfig): ShardConfig {
  const customers = Object.entries(section.customer ?? {});
  const hosts = section.hosts?.map((host) => (typeof host === 'string' ? { address: host, drain: false } : host));
  const drained = [...(hosts ?? []).entries()].filter(([, { drain }]) => drain === true).map(([slot]) => slot);
  return {
    totalHosts: section.total_hosts ?? section.hosts?.length ?? 0,
    defaultShardSize: section.default_shard_size,
    customers: new Map(customers.map(([id, { shard_size: size }]) => [id, size])),
    hosts: hosts?.map(({ address }) => address) ?? null,
    ...(drained.length > 0 && { drained }),
    runtime: new Map(Object.entries(runtime ?? {})),
  };
}

/** What an odd space does is seldom understood from what it does: it is told at each line that has one. */
function withSpaces(faults: readonly Located[], bytes: Uint8Array): readonly Located[] {
  const lines = new TextDecoder().decode(bytes).split('\n');
  return faults.map((fault) => ({ ...fault, hint: oddSpaceHint(lines[fault.line - 1] ?? '') ?? fault.hint }));
}

function toDiagnostics(faults: readonly Located[], file: string): Diagnostic[] {
  const sorted = faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const shown = sorted.slice(0, maxDiagnostics).map((fault) => ({ ...fault, file }));
  const last = sorted.at(maxDiagnostics);
  if (last === undefined) return shown;
  const message = `and ${count(sorted.length - maxDiagnostics, 'more fault')} from here on`;
  return [...shown, { ...last, file, code: 'more-faults', message, hint: null }];
}
