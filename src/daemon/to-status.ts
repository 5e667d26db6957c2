import type { Diagnostic } from '../config/diagnostic.ts';
import type { DaemonInfo, NodeStatus, Problem, ShownDiagnostic, Status } from '../http/api.ts';
import type { Session } from '../xds/session.ts';
import type { Fleet } from './fleet.ts';
import type { Head } from '../revisions/state.ts';
import { describeUnserved, findUnserved } from './unserved.ts';

interface Seen {
  readonly daemon: DaemonInfo;
  readonly fleet: Fleet;
  readonly head: Head | null;
  /** The head's file, if known. */
  readonly source: Uint8Array | null;
  readonly sessions: Iterable<Session>;
  /** Name of the RTDS resource. */
  readonly resource: string;
  readonly isDuplicate: (session: Session) => boolean;
  readonly loadOf: (node: string) => NodeStatus['load'];
  readonly gone: Status['gone'];
  readonly backlog: number;
  readonly problems: readonly Problem[];
  readonly working: Status['working'];
  readonly rollout: Status['rollout'];
  readonly freeze: Status['freeze'];
}

export function toStatus({
  daemon,
  fleet,
  head,
  source,
  sessions,
  resource,
  isDuplicate,
  loadOf,
  gone,
  backlog,
  problems,
  working,
  rollout,
  freeze,
}: Seen): Status {
  const { live } = fleet;
  const all = [...sessions];
  const members = all
    .filter((session) => session.member)
    .map((session) => toNode(session, { fleet, isDuplicate, loadOf }));
  return {
    daemon,
    live: live && {
      version: live.version,
      subject: live.release.subject,
      since: new Date(live.since).toISOString(),
      proven: live.proven,
    },
    head: head && { ...head, diagnostics: showAll(head.diagnostics, source) },
    nodes: [...members, ...findUnserved(all).map((session) => toUnserved(session, resource))],
    counts: fleet.counts(),
    muted: [...fleet.muted],
    gone,
    backlog,
    problems,
    working,
    rollout,
    freeze,
  };
}

function toNode(
  session: Session,
  { fleet, isDuplicate, loadOf }: Pick<Seen, 'fleet' | 'isDuplicate' | 'loadOf'>,
): NodeStatus {
  const { state, node, vote, isReached } = fleet.nodeOf(session.id);
  const refusal = node?.refusal ?? null;
  return {
    ...toClient(session),
    version: node?.version ?? null,
    state,
    vote: vote ?? 'new',
    refusal: refusal && { code: refusal.code, message: refusal.message },
    duplicate: isDuplicate(session),
    wave: isReached,
    load: loadOf(session.node?.id ?? ''),
    unserved: null,
  };
}

function toUnserved(session: Session, resource: string): NodeStatus {
  const unserved = describeUnserved(session, resource);
  return {
    ...toClient(session),
    version: null,
    state: 'unserved',
    vote: 'new',
    refusal: null,
    duplicate: false,
    wave: false,
    load: null,
    unserved,
  };
}

function toClient(session: Session) {
  const { id = '', cluster = '', locality = '', userAgent = '', userAgentVersion = '' } = session.node ?? {};
  return {
    id,
    cluster,
    connectedSince: new Date(session.connectedSince).toISOString(),
    locality,
    userAgent: `${userAgent} ${userAgentVersion}`.trim(),
    address: session.peer,
    dialect: `${session.dialect}${session.aggregated ? ' ADS' : ''}`,
    resources: session.resources,
  };
}

const maxExcerpt = 1_000;

/** Diagnostics with their lines of `source`. */
export function showAll(diagnostics: readonly Diagnostic[], source: Uint8Array | null): ShownDiagnostic[] {
  if (diagnostics.length === 0) return [];
  const lines = source === null ? [] : new TextDecoder().decode(source).split('\n');
  return diagnostics.map((diagnostic) => {
    const line = lines[diagnostic.line - 1]?.replace(/\r$/, '') ?? null;
    return { ...diagnostic, excerpt: line !== null && line.length <= maxExcerpt ? line : null };
  });
}
