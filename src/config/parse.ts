import type { ParsedNode } from 'yaml';
import type { Json, ShardConfig } from './config.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Located } from './fault.ts';
import { Places } from './place.ts';
import { ruleFaults } from './rules.ts';
import type { SchemaValidator } from './schema.ts';
import { decodeText } from './text.ts';
import { toTree } from './tree.ts';
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

interface Document {
  readonly root: ParsedNode;
  readonly data: Json;
  readonly places: Places;
}

/**
 * The bytes of a shard-config.yaml to a valid config (design: "The file"). Never throws; a fault of one step (text,
 * YAML, schema, rules) hides those of the steps after it.
 */
export function parseConfig(
  bytes: Uint8Array,
  options: { readonly file: string; readonly validate: SchemaValidator },
): ParsedConfig {
  const result = parseDocument(bytes);
  const { config, faults } =
    'faults' in result ? { config: null, faults: result.faults } : check(result, options.validate);
  return { config: faults.length > 0 ? null : config, diagnostics: toDiagnostics(faults, options.file) };
}

function parseDocument(bytes: Uint8Array): Document | { readonly faults: readonly Located[] } {
  const decoded = decodeText(bytes);
  if ('fault' in decoded) return { faults: [decoded.fault] };
  const places = new Places(decoded.text);
  const yaml = readYaml(decoded.text, places);
  if ('faults' in yaml) return yaml;
  const { data, faults } = toTree(yaml.root, decoded.text, places);
  return faults.length > 0 ? { faults } : { root: yaml.root, data, places };
}

function check(
  { root, data, places }: Document,
  validate: SchemaValidator,
): { config: ShardConfig | null; faults: readonly Located[] } {
  const wrong = validate.faults(data);
  if (wrong.length > 0) return { config: null, faults: wrong.map((fault) => places.locate(fault, root)) };
  const written = data as unknown as WrittenConfig;
  const config = toConfig(written);
  const faults = ruleFaults(config, {
    totalHosts: written.shuffle_sharding.total_hosts ?? null,
    exact: validate.builtin,
    sourceOf: (path) => places.sourceOf(path, root),
  });
  return { config, faults: faults.map((fault) => places.locate(fault, root)) };
}

/** The data's shape once the schema has passed it (schema-file.ts: `neededShape`). */
interface WrittenConfig {
  readonly shuffle_sharding: {
    readonly total_hosts?: number;
    readonly default_shard_size: number;
    readonly customer?: Readonly<Record<string, { readonly shard_size: number }>>;
    readonly hosts?: readonly string[];
  };
  readonly runtime?: Readonly<Record<string, Json>>;
}

function toConfig({ shuffle_sharding: section, runtime }: WrittenConfig): ShardConfig {
  const customers = Object.entries(section.customer ?? {});
  return {
    totalHosts: section.total_hosts ?? section.hosts?.length ?? 0,
    defaultShardSize: section.default_shard_size,
    customers: new Map(customers.map(([id, { shard_size: size }]) => [id, size])),
    hosts: section.hosts ?? null,
    runtime: new Map(Object.entries(runtime ?? {})),
  };
}

function toDiagnostics(faults: readonly Located[], file: string): Diagnostic[] {
  const sorted = faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const shown = sorted.slice(0, maxDiagnostics).map((fault) => ({ ...fault, file }));
  const last = sorted.at(maxDiagnostics);
  if (last === undefined) return shown;
  const message = `and ${count(sorted.length - maxDiagnostics, 'more fault')} from here on`;
  return [...shown, { ...last, file, code: 'more-faults', message, hint: null }];
}
