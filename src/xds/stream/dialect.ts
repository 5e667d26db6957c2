import type { DeltaBody, Request, SotwBody, Subscription } from './types.ts';

/** A request, as both dialects mean it. */
export interface Reading {
  /** What it says of the unanswered response: nothing, ACK or NACK, or something about an older one. */
  readonly answer: 'none' | 'settled' | 'stale';
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** The version of the configured resource that the client says it has, or null. */
  readonly claims: string | null;
  /** Names that the client says it has, by a wildcard that they are no longer part of. */
  readonly vanished: readonly string[];
}

/** What a request says, read against what is known of its subscription. */
export function readRequest(sub: Subscription, request: Request): Reading {
  return request.body.dialect === 'sotw' ? readSotw(sub, request, request.body) : readDelta(sub, request, request.body);
}

function readSotw(sub: Subscription, request: Request, body: SotwBody): Reading {
  // A stale request is void, names included: the one that answers the newest response follows it.
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#resource-updates
  // (A nonce in the first request is a leftover of an older stream: nonces do not survive one.)
  if (sub.asked && request.nonce !== sub.nonce)
    return { answer: 'stale', subscribe: NONE, unsubscribe: NONE, claims: null, vanished: NONE };
  const answer = sub.unanswered === null ? 'none' : 'settled';
  const claims = body.version === '' ? null : body.version;
  if (isOnlyName(sub, body.names)) return { answer, subscribe: NONE, unsubscribe: NONE, claims, vanished: NONE };
  sub.named ||= body.names.length > 0;
  // Empty means all until a name has been named, and none from then on.
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
  // An empty name is none: some clients say so that they want nothing.
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

/** Nearly every ACK names just what the stream has named before: then there is nothing to compare. */
function isOnlyName(sub: Subscription, names: readonly string[]): boolean {
  return sub.named && names.length === 1 && sub.names.size === 1 && sub.names.has(names[0] ?? '');
}

function readDelta(sub: Subscription, request: Request, body: DeltaBody): Reading {
  const { subscribe, unsubscribe } = body;
  const wildcard = !sub.asked && subscribe.length === 0 && unsubscribe.length === 0;
  const isWildcard = wildcard || subscribe.includes('*');
  return {
    answer: deltaAnswer(sub, request.nonce),
    // Changes count under a stale nonce too.
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
