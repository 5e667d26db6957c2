import type { DeltaBody, Request, SotwBody, Subscription } from './types.ts';

/** The meaning of a request, in either dialect. */
export interface Reading {
  /** `settled`: it ACKs or NACKs the unanswered response. `stale`: it answers an older one. */
  readonly answer: 'none' | 'settled' | 'stale';
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** The version of the configured resource that the client claims to have, or null. */
  readonly claims: string | null;
  /** Names that the client has from an earlier wildcard, and that don't exist. */
  readonly vanished: readonly string[];
}

/** Interprets a request, given the state of its subscription. */
export function readRequest(sub: Subscription, request: Request): Reading {
  return request.body.dialect === 'sotw' ? readSotw(sub, request, request.body) : readDelta(sub, request, request.body);
}

function readSotw(sub: Subscription, request: Request, body: SotwBody): Reading {
  // A stale request is ignored, names included: one that answers the newest response will follow.
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#resource-updates
  // (A nonce in a stream's first request is left over from an older stream, and means nothing.)
  if (sub.asked && request.nonce !== sub.nonce)
    return { answer: 'stale', subscribe: NONE, unsubscribe: NONE, claims: null, vanished: NONE };
  const answer = sub.unanswered === null ? 'none' : 'settled';
  const claims = body.version === '' ? null : body.version;
  if (isOnlyName(sub, body.names)) return { answer, subscribe: NONE, unsubscribe: NONE, claims, vanished: NONE };
  sub.named ||= body.names.length > 0;
  // An empty list means all until the first name was given, and none from then on.
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
  // An empty name counts as none: some clients send one to say that they want nothing.
  const names = new Set(sub.named ? body.names.filter(Boolean) : ['*']);
  return {
    answer,
    subscribe: [...names].filter((name) => !sub.names.has(name)),
    unsubscribe: [...sub.names].filter((name) => !names.has(name)),
    claims,
    vanished: NONE,
  };
}

const NONE: readonly string[] = [];

/** A fast path: nearly every ACK repeats the one name of the stream. */
function isOnlyName(sub: Subscription, names: readonly string[]): boolean {
  return sub.named && names.length === 1 && sub.names.size === 1 && sub.names.has(names[0] ?? '');
}

function readDelta(sub: Subscription, request: Request, body: DeltaBody): Reading {
  const { subscribe, unsubscribe } = body;
  const wildcard = !sub.asked && subscribe.length === 0 && unsubscribe.length === 0;
  const isWildcard = wildcard || subscribe.includes('*');
  return {
    answer: deltaAnswer(sub, request.nonce),
    // Changes count under a stale nonce, too.
    // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
    subscribe: wildcard ? ['*'] : subscribe.filter(Boolean),
    unsubscribe,
    claims: body.initialVersions.get(sub.resource) ?? null,
    // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#deleting-resources
    vanished: !sub.asked && isWildcard ? [...body.initialVersions.keys()].filter((name) => name !== sub.resource) : [],
  };
}

function deltaAnswer(sub: Subscription, nonce: string): Reading['answer'] {
  if (nonce === '') return 'none';
  return nonce === sub.nonce && sub.unanswered !== null ? 'settled' : 'stale';
}
