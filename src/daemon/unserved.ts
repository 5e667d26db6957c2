import type { Session } from '../xds/session.ts';
import type { Problems } from './problems.ts';

/** How often it is looked for. An Envoy that has just connected may ask for more in a moment, so that is no problem yet. */
const LOOK_MS = 2_000;
const MOMENT_MS = 5_000;
/** Nodes that a problem names. */
const NAMED = 3;

/**
 * The streams of nodes that are connected and get nothing: they ask for another resource, or only for types that are not served.
 * A node that has another stream which is served is none of them.
 */
export function findUnserved(sessions: Iterable<Session>): Session[] {
  const all = [...sessions].filter(({ node }) => node !== null);
  const served = new Set(all.filter(({ member }) => member).map(({ node }) => node?.id));
  return all.filter((session) => !served.has(session.node?.id) && asksFor(session).length > 0);
}

/** What a stream asks for, as an operator reads it. */
export function asksFor({ resources, otherTypes }: Pick<Session, 'resources' | 'otherTypes'>): string[] {
  return [...resources.map((name) => `resource ${name}`), ...otherTypes.map((type) => `type ${type}`)];
}

/** What is served, in the same words. */
export function describeUnserved(session: Session, resource: string): string {
  const asks = asksFor(session);
  const more = asks.length > NAMED ? ` and ${asks.length - NAMED} more` : '';
  return `asks for ${asks.slice(0, NAMED).join(', ')}${more}; resource ${resource} of RTDS is what is served`;
}

/** Keeps the problem `unserved` while there are such nodes. */
export class UnservedWatch {
  readonly #timer: NodeJS.Timeout;

  constructor(options: { sessions: () => Iterable<Session>; resource: string; problems: Problems; now: () => number }) {
    const { sessions, resource, problems, now } = options;
    this.#timer = setInterval(() => {
      const lasting = findUnserved(sessions()).filter(({ connectedSince }) => now() - connectedSince >= MOMENT_MS);
      problems.set('unserved', toProblem(lasting, resource), HINT);
    }, LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

const HINT =
  'xds.resource is to be the name of rtds_layer in the bootstrap of Envoy, as `shardplane bootstrap` writes it';

function toProblem(unserved: readonly Session[], resource: string): string | null {
  const [first] = unserved;
  if (first === undefined) return null;
  const ids = [...new Set(unserved.map(({ node }) => node?.id ?? ''))];
  const others = ids.length > 1 ? ` (${ids.length} such nodes: status lists them)` : '';
  return `Envoy ${first.node?.id ?? ''} gets nothing: it ${describeUnserved(first, resource)}${others}`;
}
