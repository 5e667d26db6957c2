import type { ErrorDetail, Request, StreamAction, Subscription, Target } from './types.ts';
import { NO_RELEASE } from './types.ts';
import { nonceOf } from './nonce.ts';
import { readRequest, type Reading } from './dialect.ts';

/** A subscription before its first request. */
export function createSubscription(of: Pick<Subscription, 'typeUrl' | 'resource' | 'target'>): Subscription {
  return {
    ...of,
    names: new Set(),
    named: false,
    asked: false,
    claims: null,
    nonce: '',
    unanswered: null,
    sent: null,
    again: false,
    absent: new Map(),
  };
}

/** Does the stream want the configured resource? */
export function isSubscribed(sub: Subscription): boolean {
  return sub.names.has(sub.resource) || sub.names.has('*');
}

/** A request of this type: the answer that it carries is settled first, then its names, then comes what is due next. */
export function onRequest(sub: Subscription, request: Request, trusted: boolean): StreamAction[] {
  const reading = readRequest(sub, request);
  const isKept = trusted && !sub.asked && request.body.dialect === 'delta' && reading.claims === sub.target.version;
  return [...settle(sub, reading, request), ...subscribe(sub, reading, isKept), ...next(sub)];
}

/** The fleet's target has moved. While a response is unanswered only the newest target is remembered. */
export function onOffer(sub: Subscription, target: Target): StreamAction[] {
  sub.target = target;
  return next(sub);
}

function settle(sub: Subscription, reading: Reading, request: Request): StreamAction[] {
  if (reading.answer === 'none') return [];
  if (reading.answer === 'stale') return [{ type: 'stale', nonce: request.nonce }];
  const { unanswered } = sub;
  if (unanswered === null) return [];
  sub.unanswered = null;
  return unanswered.name === null
    ? settleMain(sub, unanswered.target, request.error)
    : settleAbsent(sub, unanswered.name, request.error);
}

function settleMain(sub: Subscription, target: Target, error: ErrorDetail | null): StreamAction[] {
  if (sub.sent === null) return []; // unsubscribed meanwhile: no longer a member
  if (error !== null) {
    sub.sent.refused = true;
    return [{ type: 'nacked', target, error }];
  }
  // A refusal of another layer may have come from this one's poison: worth one more try now that it is gone.
  for (const [name, state] of sub.absent) if (state === 'refused') sub.absent.set(name, 'owed');
  return [{ type: 'acked', target }];
}

function settleAbsent(sub: Subscription, name: string, error: ErrorDetail | null): StreamAction[] {
  if (error === null) return [];
  if (sub.absent.has(name)) sub.absent.set(name, 'refused');
  return [{ type: 'absent_nacked', name, error }];
}

function subscribe(sub: Subscription, reading: Reading, isKept: boolean): StreamAction[] {
  const wasSubscribed = isSubscribed(sub);
  if (!sub.asked && reading.claims !== NO_RELEASE) sub.claims = reading.claims;
  sub.asked = true;
  for (const name of reading.unsubscribe) forget(sub, name);
  for (const name of reading.subscribe) remember(sub, name);
  for (const name of reading.vanished) if (name !== '') sub.absent.set(name, 'owed');
  if (wasSubscribed === isSubscribed(sub)) return [];
  if (!wasSubscribed) return [{ type: 'joined', claims: sub.claims }, ...(isKept ? keep(sub) : [])];
  sub.sent = null;
  sub.again = false;
  return [{ type: 'left' }];
}

/** Only delta says which version of the very resource the client has: to a SotW client an answer is due. */
function keep(sub: Subscription): StreamAction[] {
  const { target } = sub;
  if (target.version === NO_RELEASE) return [];
  sub.sent = { target, refused: false };
  sub.again = false;
  return [{ type: 'kept', target }];
}

function forget(sub: Subscription, name: string): void {
  sub.names.delete(name);
  sub.absent.delete(name);
  // Still wanted through `*`, and the client has just dropped it: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#unsubscribing-from-resources
  if (name === sub.resource && sub.names.has('*')) sub.again = true;
}

function remember(sub: Subscription, name: string): void {
  sub.names.add(name);
  // A name that is subscribed to once more is sent once more: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#subscribing-to-resources
  if (name === sub.resource) sub.again = true;
  else if (name !== '*' && sub.absent.get(name) !== 'refused') sub.absent.set(name, 'owed');
}

/** The one response that is due now, if any: the configured resource first and alone, so that it heals a poisoned layer. */
function next(sub: Subscription): StreamAction[] {
  if (sub.unanswered !== null) return [];
  const { target, typeUrl } = sub;
  if (isDue(sub)) {
    sub.again = false;
    sub.sent = { target, refused: false };
    sub.nonce = nonceOf(target, null);
    sub.unanswered = { name: null, target };
    return [{ type: 'send', typeUrl, nonce: sub.nonce, target }];
  }
  for (const [name, state] of sub.absent) {
    if (state !== 'owed') continue;
    sub.absent.set(name, 'sent');
    sub.nonce = nonceOf(target, name);
    sub.unanswered = { name, target };
    return [{ type: 'send_absent', typeUrl, nonce: sub.nonce, target, name }];
  }
  return [];
}

/** Is the configured resource due? The order of these is the rule. */
function isDue(sub: Subscription): boolean {
  const { sent, target, again } = sub;
  if (!isSubscribed(sub) || target.withheld) return false;
  // While there is no release, what a node has is better than the empty layer; that is for who has nothing, and for healing.
  const isRelease = target.version !== NO_RELEASE;
  // The first request is answered, whatever it claims: the node may be poisoned since before a reconnect (see `keep`).
  if (sent === null) return isRelease || sub.claims === null;
  // Refused: never again by itself, only what was offered after it (another release, a rollback, an operator's retry).
  if (sent.refused) return sent.target.seq < target.seq;
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#when-to-send-an-update
  return again || (isRelease && sent.target.version !== target.version);
}
