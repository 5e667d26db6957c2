import { join } from 'node:path';
import type { Logger } from 'pino';
import { RemoteSource } from '../git/follow/remote-source.ts';
import type { SourceEvent } from '../git/follow/source.ts';
import type { DaemonInfo } from '../http/api.ts';
import type { Judge } from '../judge/judge.ts';
import { Journal } from '../ledger/journal.ts';
import { Checks } from '../checks/checks.ts';
import { metadataKeysOf } from '../rollout/reach.ts';
import { Load } from '../load/load.ts';
import { Secrets } from '../secrets.ts';
import type { Settings } from '../settings/settings.ts';
import { adopt } from '../state/adopt.ts';
import type { Fact } from '../state/facts.ts';
import { isCalm, servedVersions, usable } from '../state/memory.ts';
import { createState, toMemory, type State } from '../state/state.ts';
import type { Event } from '../state/step.ts';
import { XdsServer } from '../xds/xds-server.ts';
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
import { LogThrottle } from './log-throttle.ts';
import { Metrics } from './metrics.ts';
import { Presence } from './presence.ts';
import { Problems } from './problems.ts';
import { readiness } from './readiness.ts';
import { Recorder } from './recorder.ts';
import { createPlaceOf } from './place-of.ts';
import { toRolloutGauges } from './rollout-gauges.ts';
import { toRolloutSettings } from './rollout-settings.ts';
import { Releases } from './releases.ts';
import { serveRestored } from './restored.ts';
import type { Report } from './report.ts';
import { createReporters } from './reporters.ts';
import type { Reporter } from './reporters.ts';
import { Signatures } from './signatures.ts';
import { RecentSources } from './recent-sources.ts';
import { openStateDirectory } from './state-directory.ts';
import { Streams } from './streams.ts';
import { onTlsReload } from './tls-reload.ts';
import { Waiters } from './waiters.ts';
import { createWatch } from './watched-rollout.ts';

export interface DaemonOptions {
  /** Secrets that are used are added to these. */
  readonly secrets?: Secrets;
  /** Called with each outcome. */
  readonly onReport?: (report: Report) => void;
}

export interface Parts {
  readonly settings: Settings;
  readonly log: Logger;
  /** With the configured ports; see `Daemon.info`. */
  readonly info: DaemonInfo;
  readonly inbox: Inbox<Event>;
  /** Changed by the controller alone. */
  readonly state: State;
  readonly controller: Controller;
  readonly releases: Releases;
  readonly fleet: Fleet;
  readonly follow: Follow;
  readonly intake: Intake;
  readonly judge: Judge;
  readonly journal: Journal;
  readonly xds: XdsServer;
  /** What the nodes report of their traffic. */
  readonly load: Load;
  readonly checks: Checks;
  readonly presence: Presence;
  readonly problems: Problems;
  readonly throttle: LogThrottle;
  readonly reporters: readonly Reporter[];
  readonly metrics: Metrics;
  readonly sources: RecentSources;
}

/**
 * Creates the parts and wires them, each from those before it. Events of git, Envoys and operators go into the inbox; the controller
 * applies them to the state, has the effects carried out and the facts recorded.
 * Reads the schema and the ledger. Rejects with SettingsError, LedgerError, and GitError for an invalid remote URL.
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
    onChange: (change, problem) => logProblem(log, change, problem),
    redact: secrets.redact,
  });

  // The state of the last process.
  const journal = new Journal({ store: openStateDirectory(settings, log), now });
  const loaded = await journal.load();
  const stored = loaded?.releases ?? [];
  const have = new Set(stored.map(({ release }) => release.version));
  const judgedBy = digestRules(settings);
  const memory = loaded?.memory ? usable(loaded.memory, have, judgedBy) : null;
  const { ref, file, verify } = repository;
  const state = createState({
    revisions: { ref, file, isVerified: verify.mode !== 'none', judgedBy },
    rollout: toRolloutSettings(settings),
    ...{ memory, open: loaded?.open ?? [], now: now() },
  });
  const releases = new Releases({ resource: settings.xds.resource, encoding: settings.release.encoding }, stored);
  const fleet = new Fleet(state.rollout, releases, now);
  const sources = new RecentSources(stored.map(({ release }) => release));

  // The Envoys.
  const inbox = new Inbox<Event>();
  const metrics = new Metrics();
  const throttle = new LogThrottle({ logLeftOut: (...leftOut) => logLeftOut(log, ...leftOut) });
  const presence = new Presence(log, (id) => fleet.isConnected(id));
  const placeOf = createPlaceOf(repository.file, (version) => sources.get(version).source);
  const streams = new Streams({ log, throttle, metrics, presence, placeOf, now, put: inbox.put });
  const load = new Load({ now, maxNodes: settings.xds.maxStreams });
  const xds = new XdsServer({
    settings: settings.xds,
    onLoad: load,
    metadataKeys: metadataKeysOf(settings.rollout),
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
    limits: settings.plan.limits,
    policy: settings.rollout,
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

  // Effects and facts.
  const reporters = createReporters({ settings, source, problems, secrets });
  const report = (each: Report): void => {
    for (const reporter of reporters) reporter.report(each);
    onReport(each);
  };
  const recorder = new Recorder({ log, throttle, metrics, journal, report, sources, state });
  const updateHealth = (): void => xds.setHealth(readiness({ fleet, journal }).ready); // like /readyz
  const checks = new Checks({ settings: settings.rollout.checks, load, now, put: inbox.put });
  const watch = createWatch({ state: state.rollout, checks, xds });
  const controller = new Controller({
    ...{ state, now, carryOut: createEffects({ state, xds, releases, source, judging, journal }) },
    record: (facts, event) => {
      if (facts.length > 0 || !('at' in event)) recorder.record(facts);
      if (facts.some(isOfLive)) updateHealth();
    },
    onStepped: () => {
      watch();
      waiters.wake();
    },
  });
  inbox.open((event) => controller.apply(event));
  metrics.observe(() => ({
    counts: fleet.counts(),
    live: state.rollout.live,
    head: state.revisions.head,
    backlog: follow.waiting,
    problems: problems.list().map(({ code }) => code),
    streams: [...xds.sessions()].length,
    loadStreams: xds.loadStreams,
    pinned: fleet.pinned,
    fetchedAt: source instanceof RemoteSource ? source.fetchedAt : null,
    gone: presence.gone().length,
    muted: fleet.muted.size,
    rollout: toRolloutGauges(state.rollout, load, now()),
  }));
  journal.begin({
    state: () => {
      const memory = toMemory(state);
      return { memory, releases: releases.of(servedVersions(memory)) };
    },
    onHealth: (health) => {
      problems.set('ledger', health.ok ? null : health.reason, 'it is retried automatically');
      updateHealth();
    },
    onLateLoad: ({ memory: late, releases: stored, open }) => {
      if (late === null) return;
      releases.restore(stored);
      source.resume(late.revisions.taken);
      const unpinned = stored
        .map(({ release }) => release.version)
        .filter((version) => !state.rollout.pins.has(version));
      if (!adopt(state, usable(late, new Set(unpinned), judgedBy), open, now())) return;
      serveRestored({ log, fleet, state, xds, releases, controller });
      const { live } = state.rollout;
      if (live) onReport({ version: live.version, outcome: 'live', diagnostics: [], counts: fleet.counts() });
    },
  });
  return {
    ...{ settings, log, info, inbox, state, controller, releases, fleet, follow, intake, judge, journal, xds, load },
    ...{ presence, problems, throttle, reporters, metrics, sources, checks },
  };
}

function isOfLive({ type }: Fact): boolean {
  return type === 'live' || type === 'nothing_live';
}
