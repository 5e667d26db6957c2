import type { Version } from '../../ids.ts';
import { diagnose } from '../../rollout/diagnose.ts';
import type { Cause } from '../../rollout/types.ts';
import type { Release } from '../../release/release.ts';
import type { Fact, FactOf } from '../../state/facts.ts';
import { changedCustomers } from '../customers.ts';
import type { Stamped } from '../store.ts';
import type { Statements } from './statements.ts';
import * as tables from './tables.ts';

/** The releases that facts are about. */
export interface KnownReleases {
  /** Those with their content. */
  readonly byVersion: ReadonlyMap<string, Release>;
  /** The last live one: the next is compared with it. */
  live: Release | null;
}

/** Writes a fact into the tables. Call it inside a transaction; throws SQLite's errors. */
export function writeFact(statements: Statements, { at, fact }: Stamped, releases: KnownReleases): void {
  const version = versionOf(fact);
  if (version !== null && fact.type !== 'seen') tables.ensureRevision(statements, version, at);
  const add = (event: tables.EventRow): void => {
    if (version !== null) tables.writeEvent(statements, version, at, event);
  };
  const conclude = (concluded: tables.Concluded): void => {
    if (version !== null) tables.writeOutcome(statements, version, at, concluded);
  };
  switch (fact.type) {
    case 'seen':
      if (tables.writeRevision(statements, fact.revision, at)) add({ type: 'revision' });
      return;
    case 'invalid':
      return conclude({ outcome: 'invalid', diagnostics: fact.diagnostics });
    case 'held':
      if (!isHeld(statements, fact.version)) add({ type: 'held', detail: { reason: fact.reason } });
      return conclude({ outcome: 'held', reason: fact.reason, diagnostics: fact.diagnostics });
    case 'accepted':
      if (tables.lastEvent(statements, fact.version, ['held', 'accepted']) !== 'accepted')
        add({ type: 'accepted', by: fact.by });
      return;
    case 'retried':
      if (isPinned(statements, fact.version)) add({ type: 'unpinned', by: fact.by });
      return;
    case 'superseded':
      return conclude({ outcome: 'superseded' });
    case 'closed':
      return conclude({ outcome: fact.outcome });
    case 'offered':
      tables.writePushStarted(statements, fact.version, at, fact.counts.connected);
      return add({ type: 'push_started', detail: { seq: fact.push, connected: fact.counts.connected, ...fact.wave } });
    case 'settled':
      return tables.writePushSettled(statements, fact.version, at, fact);
    case 'live':
      return writeLive(statements, at, fact, releases);
    case 'rolled_back':
      if (!isPinned(statements, fact.version)) add(toPinned(fact.cause));
      return conclude({ outcome: 'rolled_back', diagnostics: [diagnose(fact.cause)] });
    case 'still_pinned':
      return conclude({ outcome: 'rolled_back', diagnostics: [diagnose(fact.cause)] });
    case 'refused': {
      const { node, code, message, place = null } = fact.refusal;
      return add({ type: 'refused', detail: { node, code, message, place } });
    }
    case 'wave_skipped':
      return add({ type: fact.type, detail: { ...fact.wave } });
    case 'wave_waits':
      return add({
        type: fact.type,
        detail: { reason: fact.reason, detail: fact.detail, until: fact.until, ...fact.wave },
      });
    case 'baking':
      return add({ type: fact.type, detail: { until: fact.until, ...fact.wave } });
    case 'check':
      return add({ type: fact.type, detail: { name: fact.name, verdict: fact.verdict, message: fact.message } });
    case 'paused':
      return add({ type: fact.type, by: fact.by, detail: { reason: fact.reason, why: fact.why } });
    case 'promoted':
      return add({ type: fact.type, by: fact.by, detail: { all: fact.all, why: fact.why } });
    case 'resumed':
    case 'unfrozen':
      return add({ type: fact.type, by: fact.by, detail: { why: fact.why } });
    case 'frozen':
      return add({ type: fact.type, by: fact.by, detail: { why: fact.why, until: fact.until } });
    case 'muted':
      return tables.writeMuted(statements, fact.node, at, fact.by);
    case 'unmuted':
      return tables.removeMuted(statements, fact.node);
    case 'nothing_found':
    case 'nothing_to_offer':
    case 'nothing_live':
    case 'unpinned':
    case 'unanswered':
      return;
  }
}

function toPinned(cause: Cause): tables.EventRow {
  if (cause.type === 'check')
    return { type: 'pinned', detail: { check: { name: cause.name, message: cause.message } } };
  if (cause.type === 'aborted') return { type: 'pinned', by: cause.by, detail: { aborted: { why: cause.why } } };
  const { node, code, message } = cause;
  return { type: 'pinned', detail: { refusal: { node, code, message } } };
}

/** The bytes were stored when it was offered; the event and the changed customers are written once it is live. */
function writeLive(statements: Statements, at: number, fact: FactOf<'live'>, releases: KnownReleases): void {
  const { version, proven, isNew, isSettled } = fact;
  if (isNew) tables.writeOutcome(statements, version, at, { outcome: 'live' });
  const release = releases.byVersion.get(version);
  if (isNew && release !== undefined) {
    tables.writeChanges(statements, version, changedCustomers(releases.live?.config ?? null, release.config));
    tables.writeEvent(statements, version, at, { type: 'release' });
  }
  releases.live = release ?? releases.live;
  tables.writeEvent(statements, version, at, { type: 'live', detail: { proven } });
  // Proven after it went live: update the counts to those that proved it.
  if (proven && !isNew && isSettled) tables.writePushSettled(statements, version, at, fact);
}

function isHeld(statements: Statements, version: Version): boolean {
  const isHeldNow = tables.readOutcome(statements, version) === 'held';
  return isHeldNow && tables.lastEvent(statements, version, ['held', 'accepted']) === 'held';
}

function isPinned(statements: Statements, version: Version): boolean {
  return tables.lastEvent(statements, version, ['pinned', 'unpinned']) === 'pinned';
}

/** The revision that a fact is about, or null. */
export function versionOf(fact: Fact): Version | null {
  if (fact.type === 'seen') return fact.revision.version;
  return 'version' in fact ? fact.version : null;
}
