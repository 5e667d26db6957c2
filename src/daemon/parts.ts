import { join } from 'node:path';
import type { Logger } from 'pino';
import { RemoteSource } from '../git/follow/remote-source.ts';
import type { SourceEvent } from '../git/follow/source.ts';
import type { DaemonInfo } from '../http/api.ts';
import type { Judge } from '../judge/judge.ts';
import { Journal } from '../ledger/journal.ts';
import { Secrets } from '../secrets.ts';
import type { Settings } from '../settings/settings.ts';
import { adopt } from '../state/adopt.ts';
import type { Fact } from '../state/facts.ts';
import { isCalm, servedVersions, usable } from '../state/memory.ts';
import { createState, toMemory } from '../state/state.ts';
import type { Event } from '../state/step.ts';
import { XdsServer } from '../xds/server.ts';
import { readiness } from './api.ts';
import { Controller } from './controller.ts';
import { createEffects } from './effects.ts';
import { createJudge, digestRules, evaluate } from './evaluate.ts';
import { Fleet } from './fleet.ts';
import { createSource, Follow } from './follow.ts';
import { Inbox } from './inbox.ts';
import { describeDaemon } from './info.ts';
import { Intake } from './intake.ts';
import { Judging } from './judging.ts';
import { logProblem } from './log-facts.ts';
import { logLeftOut } from './log-streams.ts';
import { Metrics } from './metrics.ts';
import { Presence } from './presence.ts';
import { Problems } from './problems.ts';
import { Recorder } from './recorder.ts';
import { createPlaceOf } from './refusal.ts';
import { Releases } from './releases.ts';
import { serveRestored } from './restored.ts';
import { Repeats } from './repeats.ts';
import type { Report } from './report.ts';
import { createReporters } from './reporters.ts';
import type { Reporter } from './reporters.ts';
import { Signatures } from './signatures.ts';
import { RecentSources } from './sources.ts';
import { openStateDirectory } from './state-directory.ts';
import { Streams } from './streams.ts';
import { Waiters } from './waiters.ts';

/** How long a node must have held an accepted release before its word alone rolls one back: long enough for one that comes and goes to have no say. */
const voteAfterMs = 5_000;

export interface DaemonOptions {
  /** Learns those that are used. */
  readonly secrets?: Secrets;
  /** Hears of each outcome. */
  readonly onReport?: (report: Report) => void;
}

/** What a daemon is made of. */
export interface Parts {
  readonly settings: Settings;
  readonly log: Logger;
  /** Before it listens. */
  readonly info: DaemonInfo;
  readonly inbox: Inbox<Event>;
  readonly controller: Controller;
  readonly releases: Releases;
  readonly fleet: Fleet;
  readonly follow: Follow;
  readonly intake: Intake;
  readonly judge: Judge;
  readonly journal: Journal;
  readonly xds: XdsServer;
  readonly presence: Presence;
  readonly problems: Problems;
  readonly repeats: Repeats;
  readonly reporters: readonly Reporter[];
  readonly metrics: Metrics;
  readonly sources: RecentSources;
}

/**
 * Makes the parts and wires them, each from those before it. What happens is put into the inbox, whoever saw it (git, an Envoy, an
 * operator); the controller steps the state, and has the effects carried out and the facts recorded.
 * Reads the schema and the ledger. Rejects with SettingsError, LedgerError, and GitError for a remote's URL that is none.
 */
export async function createParts(
  settings: Settings,
  log: Logger,
  { secrets = new Secrets(), onReport = () => undefined }: DaemonOptions = {},
): Promise<Parts> {
  const { repository, state: stateSettings } = settings;
  const now = Date.now;
  const info = describeDaemon(settings, { xdsPort: settings.xds.port, httpPort: settings.http.port });
  const judge = createJudge(settings);
  const problems = new Problems({
    now,
    say: (change, problem) => logProblem(log, change, problem),
    redact: secrets.redact,
  });

  // What a restart goes on from.
  const journal = new Journal({ store: openStateDirectory(settings, log), now });
  const loaded = await journal.load();
  const stored = loaded?.releases ?? [];
  const have = new Set(stored.map(({ release }) => release.version));
  const judgedBy = digestRules(settings);
  const memory = loaded?.memory ? usable(loaded.memory, have, judgedBy) : null;
  const { ref, file, verify } = repository;
  const state = createState({
    revisions: { ref, file, isVerified: verify.mode !== 'none', judgedBy },
    rollout: { ackTimeoutMs: settings.xds.ackTimeoutMs, quorum: settings.xds.quorum, voteAfterMs },
    ...{ memory, open: loaded?.open ?? [], now: now() },
  });
  const releases = new Releases({ resource: settings.xds.resource, encoding: settings.release.encoding }, stored);
  const fleet = new Fleet(state.rollout, releases, now);
  const sources = new RecentSources(stored.map(({ release }) => release));

  // The Envoys.
  const inbox = new Inbox<Event>();
  const metrics = new Metrics();
  const repeats = new Repeats({ sayLeftOut: (...leftOut) => logLeftOut(log, ...leftOut) });
  const presence = new Presence(log, (id) => fleet.isConnected(id));
  const placeOf = createPlaceOf(repository.file, (version) => sources.get(version).source);
  const streams = new Streams({ log, repeats, metrics, presence, placeOf, now, put: inbox.put });
  const xds = new XdsServer({
    settings: settings.xds,
    onAction: streams.onAction,
    onFailure: streams.onFailure,
    onRefusal: streams.onRefusal,
    onTlsReload: (error) => onTlsReload(error, log, problems),
    trustsClaims: loaded?.memory != null && isCalm(loaded.memory),
  });

  // git.
  const waiters = new Waiters();
  const moves = new Inbox<SourceEvent, Promise<void>>();
  const source = createSource({
    ...{ settings: repository, stateDirectory: stateSettings.directory, secrets },
    ...{ since: state.revisions.taken, known: (versions) => journal.outcomes(versions), onEvent: moves.put },
  });
  const signatures = new Signatures({
    mode: repository.verify.mode,
    keys: { ...repository.verify, directory: join(stateSettings.directory, 'keys') },
    file: repository.file,
    repository: () => source.repository,
    liveVersion: () => state.rollout.live?.version ?? null,
  });
  const intake = new Intake({
    guard: repository.guard,
    evaluate: (revision) => evaluate(revision, { judge, journal }),
    verify: (version, standing) => signatures.check(version, standing),
    live: () => fleet.live?.release ?? null,
  });
  const judging = new Judging({
    ...{ source, intake, problems, put: inbox.put, onStuck: waiters.wake },
    onJudged: ({ version, subject }, { verdict, source, compiled }, { standing }) => {
      sources.setJudged(version, { subject, source });
      if (standing.isHead || (verdict.valid && !standing.isOvertaken)) sources.set(version, { subject, source });
      if (compiled !== null) releases.put(compiled);
    },
  });
  const follow = new Follow({
    ...{ settings: repository, log, judge, problems, source, judging, waiters, put: inbox.put },
    state: state.revisions,
    onNewest: ({ version, subject, content }) =>
      sources.set(version, { subject, source: 'bytes' in content ? content.bytes : null }),
  });
  moves.open(follow.onEvent);

  // What is done, and what is written of it.
  const reporters = createReporters({ settings, source, problems, secrets });
  const report = (told: Report): void => {
    for (const reporter of reporters) reporter.report(told);
    onReport(told);
  };
  const recorder = new Recorder({ log, repeats, metrics, journal, report, sources, state });
  const sayReadiness = (): void => xds.setHealth(readiness({ fleet, journal }).ready); // as /readyz does
  const controller = new Controller({
    ...{ state, now, carryOut: createEffects({ state, xds, releases, source, judging }) },
    record: (facts, event) => {
      if (facts.length > 0 || !('at' in event)) recorder.record(facts);
      if (facts.some(isOfLive)) sayReadiness();
    },
    onStepped: waiters.wake,
  });
  inbox.open((event) => controller.apply(event));
  metrics.observe(() => ({
    counts: fleet.counts(),
    live: state.rollout.live,
    head: state.revisions.head,
    backlog: follow.waiting,
    problems: problems.list().map(({ code }) => code),
    streams: [...xds.sessions()].length,
    pinned: fleet.pinned,
    fetchedAt: source instanceof RemoteSource ? source.fetchedAt : null,
    gone: presence.gone().length,
    muted: fleet.muted.size,
  }));
  journal.begin({
    state: () => {
      const memory = toMemory(state);
      return { memory, releases: releases.of(servedVersions(memory)) };
    },
    onHealth: (health) => {
      problems.set('ledger', health.ok ? null : health.reason, 'it is tried again by itself');
      sayReadiness();
    },
    onLateLoad: ({ memory: late, releases: stored, open }) => {
      if (late === null) return;
      releases.restore(stored);
      const unpinned = stored
        .map(({ release }) => release.version)
        .filter((version) => !state.rollout.pins.has(version));
      if (adopt(state, usable(late, new Set(unpinned), judgedBy), open, now()))
        serveRestored({ log, fleet, xds, controller });
    },
  });
  return {
    ...{ settings, log, info, inbox, controller, releases, fleet, follow, intake, judge, journal, xds },
    ...{ presence, problems, repeats, reporters, metrics, sources },
  };
}

function isOfLive({ type }: Fact): boolean {
  return type === 'live' || type === 'nothing_live';
}

function onTlsReload(error: Error | null, log: Logger, problems: Problems): void {
  if (error === null) log.info('the TLS files have changed: new connections use them');
  const words = error && `the TLS files have changed and can't be used: ${error.message}`;
  problems.set('tls', words, 'the ones before stay in use');
}
