import type { Parts } from './parts.ts';
import type { Api, CommandResult, DaemonInfo, Order } from '../http/api.ts';
import type { Cause } from '../rollout/types.ts';
import type { Head } from '../revisions/state.ts';
import { toHistoryQuery, toLivesQuery } from '../http/history-query.ts';
import { HttpError } from '../http/http-error.ts';
import { explainFleet } from './explain-release.ts';
import { short } from '../release/short.ts';
import { answerTo, refusalOf, toCommand } from './operate.ts';
import { readiness } from './readiness.ts';
import { toStatus } from './to-status.ts';

/** The parts of the daemon that the API needs. */
export interface Running {
  readonly parts: Parts;
  /** Its ports are known once they listen. */
  readonly info: DaemonInfo;
  /** Looks at the repository now. */
  sync(): Promise<void>;
}

/** What HTTP and the CLI can ask of the daemon. */
export function createApi(daemon: Running): Api {
  const { fleet, follow, journal, xds, sources, settings, presence, problems, metrics, load, checks } = daemon.parts;
  return {
    daemon: () => daemon.info,
    status: async () => {
      await journal.settled(); // whatever the status shows must survive a crash
      return toStatus({
        daemon: daemon.info,
        fleet,
        head: follow.head,
        source: sources.get(follow.head?.version ?? null).source,
        sessions: xds.sessions(),
        resource: settings.xds.resource,
        isDuplicate: (session) => xds.isDuplicate(session),
        loadOf: (node) => load.of(node),
        gone: presence.gone(),
        backlog: follow.waiting,
        problems: problems.list(),
        working: follow.working,
        rollout: fleet.rollout(checks.whyOff()),
        freeze: fleet.freeze,
      });
    },
    readiness: () => readiness(daemon.parts),
    metrics: () => metrics.text(),
    explain: (customer) => explainFleet(fleet, customer),
    history: (query) => journal.history(toHistoryQuery(query)),
    lives: (query) => journal.lives(toLivesQuery(query)),
    story: async (version) => toStory(await journal.story(version), version),
    retry: (version, by) => retry(daemon, version, by),
    accept: (version, by) => accept(daemon, version, by),
    mute: (node, by) => mute(daemon, node, by),
    unmute: (node, by) => unmute(daemon, node, by),
    operate: (order) => operate(daemon, order),
    sync: () => sync(daemon),
    pushed: (ref) => onPushed(daemon, ref),
  };
}

/** The head, if `version` (HEAD or a prefix of a SHA) names it; else the error. */
function requireHead(daemon: Running, version: string, verb: string): Head | CommandResult {
  const { head } = daemon.parts.follow;
  if (head !== null && (version === 'HEAD' || head.version.startsWith(version))) return head;
  const hint = head === null ? 'there is no revision yet' : `the newest revision is ${short(head.version)}`;
  return {
    ok: false,
    message:
      head === null
        ? `there is nothing to ${verb}`
        : `${verb} works only on the newest revision, and ${short(version)} is another`,
    hint,
  };
}

async function retry(daemon: Running, version: string, by: string): Promise<CommandResult> {
  const { fleet, follow } = daemon.parts;
  const found = requireHead(daemon, version, 'retry');
  if ('ok' in found) return found;
  const { version: head, outcome } = found;
  if (fleet.target?.version === head) {
    if (fleet.counts().refusing === 0)
      return { ok: false, message: `no node refuses ${short(head)}: there is nothing to retry` };
    await follow.command({ type: 'retry', version: head, by });
    return { ok: true, message: `${short(head)} is offered again to the nodes that refuse it` };
  }
  if (outcome === 'held')
    return {
      ok: false,
      message: `${short(head)} is held`,
      hint: `to let it through: shardplane accept ${short(head)}`,
    };
  if (fleet.causeOf(head) === null)
    return { ok: false, message: `${short(head)} was not refused: there is nothing to retry` };
  await follow.command({ type: 'retry', version: head, by });
  if (fleet.causeOf(head) === null || fleet.target?.version === head)
    return { ok: true, message: `${short(head)} is pushed again` };
  return { ok: false, message: `${short(head)} cannot be pushed`, hint: 'shardplane status says why' };
}

async function accept(daemon: Running, version: string, by: string): Promise<CommandResult> {
  const head = requireHead(daemon, version, 'accept');
  if ('ok' in head) return head;
  if (head.outcome !== 'held') return { ok: false, message: `${short(head.version)} is not held` };
  if (daemon.parts.follow.isRefused)
    return {
      ok: false,
      message: `${short(head.version)} is part of a rewritten history, which nobody can accept with on_rewrite: refuse`,
      hint: 'shardplane status says what to do',
    };
  await daemon.parts.follow.command({ type: 'accept', version: head.version, by });
  return { ok: true, message: `${short(head.version)} is accepted` };
}

/** With one of these problems the daemon can't see the newest revision. */
const blinding: ReadonlySet<string> = new Set(['repository', 'remote', 'ref', 'ref-deleted', 'file']);
/** A fleet with more bad nodes than this has to be fixed in another way. */
const maxMuted = 1_000;

function mute(daemon: Running, node: string, by: string): CommandResult {
  const { fleet, inbox } = daemon.parts;
  if (fleet.muted.has(node)) return { ok: false, message: `${node} is muted already` };
  if (fleet.muted.size >= maxMuted)
    return { ok: false, message: `${maxMuted} nodes are muted already`, hint: 'shardplane node unmute ID' };
  inbox.put({ type: 'mute', at: Date.now(), node, by });
  const { head } = daemon.parts.follow;
  const hint =
    head?.outcome === 'rolled_back' && isRefusedBy(fleet.causeOf(head.version), node)
      ? `${short(head.version)}, which it refused, is still pinned: shardplane retry ${short(head.version)}`
      : null;
  const where = fleet.isConnected(node) ? '' : ' (it is not connected)';
  const message = `${node} no longer has a vote${where}: its answers don't count, and no rollout waits for it`;
  return { ok: true, message: hint === null ? message : `${message}\n${hint}` };
}

function isRefusedBy(cause: Cause | null, node: string): boolean {
  return cause?.type === 'refused' && cause.node === node;
}

function unmute(daemon: Running, node: string, by: string): CommandResult {
  const { fleet, inbox } = daemon.parts;
  if (!fleet.muted.has(node) && !fleet.hasLostVote(node))
    return { ok: false, message: `${node} is not muted`, hint: 'shardplane status lists the muted nodes' };
  inbox.put({ type: 'unmute', at: Date.now(), node, by });
  return { ok: true, message: `${node} has a vote again` };
}

async function operate({ parts }: Running, order: Order): Promise<CommandResult> {
  const { state, inbox, journal } = parts;
  const at = Date.now();
  const operated = { state: state.rollout, at, isHeldByFreeze: state.revisions.hold?.cause === 'freeze' };
  const refusal = refusalOf(order, operated);
  if (refusal !== null) return refusal;
  const before = state.rollout.candidate;
  inbox.put(toCommand(order, at));
  await journal.settled(); // what is answered must survive a crash
  return answerTo(order, before, operated);
}

async function sync(daemon: Running): Promise<CommandResult> {
  await daemon.sync();
  // A failure to read a local repository becomes a problem at the second attempt: make that one now.
  if (daemon.parts.settings.repository.remote === null) await daemon.sync();
  const isUnjudged = daemon.parts.follow.head?.outcome === null;
  const failure = daemon.parts.problems
    .list()
    .find(({ code }) => blinding.has(code) || (isUnjudged && code === 'backlog'));
  if (failure) return { ok: false, message: failure.message, ...(failure.hint !== null && { hint: failure.hint }) };
  const { head } = daemon.parts.follow;
  return {
    ok: true,
    message: head === null ? 'no revision yet' : `the newest revision is ${short(head.version)}`,
  };
}

function toStory(story: unknown, version: string): unknown {
  if (story === 'ambiguous')
    throw new HttpError(409, 'ambiguous', `several commits begin with ${version}: give more digits`);
  return story;
}

/** Ignores other refs. `sync` joins concurrent calls, so a flood of them is harmless. */
function onPushed(daemon: Running, ref: string | null): void {
  const watched = daemon.parts.settings.repository.ref;
  if (ref === null || watched === 'HEAD' || ref === watched || ref === `refs/heads/${watched}`) void daemon.sync();
}
