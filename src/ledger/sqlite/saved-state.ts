import type { Version } from '../../ids.ts';
import { contentFromJson } from '../../release/content.ts';
import type { FinalOutcome } from '../../rollout/types.ts';
import { servedVersions } from '../../state/memory.ts';
import type { Memory } from '../../state/memory.ts';
import type { Loaded, StoredRelease } from '../store.ts';
import type { Row, Statements } from './statements.ts';
import { CorruptLedger } from './sqlite-error.ts';

const maxOpen = 1000;

/** The state's JSON, or null in a new ledger. Throws CorruptLedger if it is missing. */
export function readState({ all }: Statements): string | null {
  const [row] = all('SELECT json FROM state');
  if (row !== undefined) return String(row.json);
  if (all('SELECT 1 FROM revisions LIMIT 1').length > 0) throw new CorruptLedger('its table "state" is empty');
  return null;
}

export function writeState({ run }: Statements, json: string): void {
  run('INSERT INTO state (one, json) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET json = excluded.json', json);
}

/** Throws SyntaxError or CorruptLedger on anything that `writeState` didn't write. */
export function parseMemory(json: string | null): Memory | null {
  if (json === null) return null;
  const memory: unknown = JSON.parse(json);
  if (!isMemory(memory)) throw new CorruptLedger('its state is damaged');
  return memory;
}

function isMemory(value: unknown): value is Memory {
  return typeof value === 'object' && value !== null && 'revisions' in value && 'rollout' in value;
}

/** The state to resume from. Throws SQLite's errors, and what `readState` and `parseMemory` do. */
export function readLoaded(statements: Statements): Loaded {
  const memory = parseMemory(readState(statements));
  if (memory === null) return { memory, releases: [], open: [] };
  return { memory, releases: readReleases(statements, memory), open: readOpen(statements, memory) };
}

function readReleases({ all }: Statements, memory: Memory): StoredRelease[] {
  const named = JSON.stringify([...servedVersions(memory)]);
  return all('SELECT * FROM releases WHERE version IN (SELECT value FROM json_each(?))', named).map(toRelease);
}

function toRelease({ version, subject, resource, ...row }: Row): StoredRelease {
  if (!(resource instanceof Uint8Array)) throw new CorruptLedger('a release has no bytes');
  const content = String(row.content);
  const release = { version: toVersion(version), subject: String(subject), ...contentFromJson(content) };
  return { release, resource, content };
}

function readOpen({ all }: Statements, memory: Memory): Loaded['open'] {
  const candidate = memory.rollout.candidate?.version;
  const decided = [...servedVersions(memory)].filter((version) => version !== candidate);
  const rows = all(
    `SELECT * FROM (
       SELECT id, version, ${finalOutcome} AS before FROM revisions
       WHERE (outcome IS NULL OR outcome = 'held') AND version NOT IN (SELECT value FROM json_each(?))
       ORDER BY id DESC LIMIT ?
     ) ORDER BY id`,
    ...[JSON.stringify(decided), maxOpen],
  );
  return rows.map(({ version, before }) => ({ version: toVersion(version), before: before as FinalOutcome | null }));
}

/** See `Store.outcomes`. */
export function readOutcomes({ all }: Statements, versions: readonly Version[]): Map<Version, FinalOutcome> {
  const rows = all(
    `SELECT version, iif(outcome = 'held', ${finalOutcome}, outcome) AS final FROM revisions
     WHERE final IS NOT NULL AND version IN (SELECT value FROM json_each(?))`,
    JSON.stringify(versions),
  );
  return new Map(rows.map(({ version, final }) => [toVersion(version), final as FinalOutcome]));
}

/** The outcome that a revision had before it was held. */
const finalOutcome = `(SELECT json_extract(detail, '$.outcome') FROM events
  WHERE events.version = revisions.version AND type = 'outcome' AND json_extract(detail, '$.outcome') != 'held'
  ORDER BY events.id DESC LIMIT 1)`;

function toVersion(value: Row[string] | undefined): Version {
  return String(value) as Version;
}
