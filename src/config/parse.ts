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

/** The most diagnostics for one file, before one that says how many more there are. */
export const maxDiagnostics = 100;

/** A config and no diagnostics, or no config and at least one. */
export interface ParsedConfig {
  readonly config: ShardConfig | null;
  /** Sorted by position. */
  readonly diagnostics: readonly Diagnostic[];
}

interface Options {
  readonly file: string;
  readonly validate: SchemaValidator;
}

/** The file's data, and what finds the positions in it; `root` is null after the fast parser. */
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
 * Parses the bytes of a shard-config.yaml (design: "The file"). Never throws; a fault of one step (text, YAML, schema, rules)
 * hides those of later steps. A file in the usual style and without faults takes a tenth of the time: see common.ts.
 */
export function parseConfig(bytes: Uint8Array, options: Options): ParsedConfig {
  const quick = quickly(bytes, options.validate);
  return quick === null ? parseClosely(bytes, options) : { config: quick.config, diagnostics: [] };
}

/** The same without the fast parser: for the test that compares the two. */
export function parseClosely(bytes: Uint8Array, options: Options): ParsedConfig {
  const { config, faults } = closely(bytes, options.validate);
  if (config !== null) return { config, diagnostics: [] };
  return { config, diagnostics: toDiagnostics(withSpaces(faults, bytes), options.file) };
}

/** Null when the fast parser doesn't support the file, or when it has a fault. */
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

/** The data's shape after validation (schema-file.ts: `neededShape`). */
interface WrittenConfig {
  readonly shuffle_sharding: {
    readonly total_hosts?: number;
    readonly default_shard_size: number;
    readonly quarantine_hosts?: number;
    readonly customer?: Readonly<Record<string, WrittenCustomer>>;
    readonly hosts?: readonly WrittenHost[];
  };
  readonly runtime?: Readonly<Record<string, Json>>;
}

interface WrittenCustomer {
  readonly shard_size?: number;
  readonly deal?: number;
  readonly quarantine?: boolean;
  readonly quarantine_until?: string;
}

type WrittenHost = string | { readonly address: string; readonly drain?: boolean };

function toConfig({ shuffle_sharding: section, runtime }: WrittenConfig): ShardConfig {
  const hosts = section.hosts?.map((host) => (typeof host === 'string' ? { address: host, drain: false } : host));
  const drained = [...(hosts ?? []).entries()].filter(([, { drain }]) => drain === true).map(([slot]) => slot);
  return {
    totalHosts: section.total_hosts ?? section.hosts?.length ?? 0,
    defaultShardSize: section.default_shard_size,
    ...toCustomers(Object.entries(section.customer ?? {})),
    hosts: hosts?.map(({ address }) => address) ?? null,
    ...(drained.length > 0 && { drained }),
    ...(section.quarantine_hosts && { quarantineHosts: section.quarantine_hosts }),
    runtime: new Map(Object.entries(runtime ?? {})),
  };
}

type OfCustomers = Pick<ShardConfig, 'customers' | 'deals' | 'quarantined' | 'quarantineUntil'>;

function toCustomers(written: readonly (readonly [string, WrittenCustomer])[]): OfCustomers {
  const customers = new Map<string, number>();
  const deals = new Map<string, number>();
  const quarantined = new Set<string>();
  const quarantineUntil = new Map<string, number>();
  for (const [id, { shard_size: size, deal, quarantine, quarantine_until: until }] of written) {
    if (size !== undefined) customers.set(id, size);
    if (deal !== undefined) deals.set(id, deal);
    if (quarantine === true) quarantined.add(id);
    if (until !== undefined) quarantineUntil.set(id, Date.parse(until));
  }
  return {
    customers,
    ...(deals.size > 0 && { deals }),
    ...(quarantined.size > 0 && { quarantined }),
    ...(quarantineUntil.size > 0 && { quarantineUntil }),
  };
}

/** The effect of an unusual space is hard to understand, so the hint names it at every faulty line that has one. */
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
