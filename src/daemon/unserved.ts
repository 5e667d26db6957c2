import { listSome } from '../config/words.ts';
import type { Session } from '../xds/session.ts';
import type { Problems } from './problems.ts';

const CHECK_MS = 2_000;
/** An Envoy that has just connected may still subscribe to what is served. */
const GRACE_MS = 5_000;

/**
 * Streams of nodes that are connected and get nothing: they ask for another resource, or only for types that are not served. Leaves out
 * nodes that have another stream which is served.
 */
export function findUnserved(sessions: Iterable<Session>): Session[] {
  const all = [...sessions].filter(({ node }) => node !== null);
  const served = new Set(all.filter(({ member }) => member).map(({ node }) => node?.id));
  return all.filter((session) => !served.has(session.node?.id) && asksFor(session).length > 0);
}

/** What a stream asks for, as text. */
function asksFor({ resources, otherTypes }: Pick<Session, 'resources' | 'otherTypes'>): string[] {
  return [...resources.map((name) => `resource ${name}`), ...otherTypes.map((type) => `type ${type}`)];
}

/** What it asks for, and what is served. */
export function describeUnserved(session: Session, resource: string): string {
  return `asks for ${listSome(asksFor(session))}; only RTDS resource ${resource} is served`;
}

/** Keeps the problem `unserved` open while there are such nodes. */
export class UnservedWatch {
  readonly #timer: NodeJS.Timeout;

  constructor(options: { sessions: () => Iterable<Session>; resource: string; problems: Problems; now: () => number }) {
    const { sessions, resource, problems, now } = options;
    this.#timer = setInterval(() => {
      const lasting = findUnserved(sessions()).filter(({ connectedSince }) => now() - connectedSince >= GRACE_MS);
      problems.set('unserved', toProblem(lasting, resource), HINT);
    }, CHECK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

const HINT =
  'xds.resource must be the name of the rtds_layer in the bootstrap of Envoy, as `shardplane bootstrap` writes it';

function toProblem(unserved: readonly Session[], resource: string): string | null {
  const [first] = unserved;
  if (first === undefined) return null;
  const ids = [...new Set(unserved.map(({ node }) => node?.id ?? ''))];
  const others = ids.length > 1 ? ` (${ids.length} such nodes: status lists them)` : '';
  return `Envoy ${first.node?.id ?? ''} gets nothing: it ${describeUnserved(first, resource)}${others}`;
}
