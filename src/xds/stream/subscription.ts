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
    absent: null,
  };
}

/** Whether the stream subscribes to the configured resource. */
export function isSubscribed(sub: Subscription): boolean {
  return sub.names.has(sub.resource) || sub.names.has('*');
}

/** Handles a request: first the ACK or NACK in it, then its names, then what is due next. */
export function onRequest(sub: Subscription, request: Request, trusted: boolean): StreamAction[] {
  const reading = readRequest(sub, request);
  const isKept = trusted && !sub.asked && request.body.dialect === 'delta' && reading.claims === sub.target.version;
  return [...settle(sub, reading, request), ...subscribe(sub, reading, isKept), ...next(sub)];
}

/** The fleet's target has changed. While a response is unanswered, only the newest target is kept. */
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
  if (sub.sent === null) return []; // unsubscribed in the meantime
  if (error !== null) {
    sub.sent.refused = true;
    return [{ type: 'nacked', target, error }];
  }
  // Another layer may have been refused only because this one was poisoned: try it again.
  for (const [name, state] of sub.absent ?? []) if (state === 'refused') setAbsent(sub, name, 'owed');
  return [{ type: 'acked', target }];
}

function settleAbsent(sub: Subscription, name: string, error: ErrorDetail | null): StreamAction[] {
  if (error === null) return [];
  if (sub.absent?.has(name)) setAbsent(sub, name, 'refused');
  return [{ type: 'absent_nacked', name, error }];
}

function subscribe(sub: Subscription, reading: Reading, isKept: boolean): StreamAction[] {
  const wasSubscribed = isSubscribed(sub);
  if (!sub.asked && reading.claims !== NO_RELEASE) sub.claims = reading.claims;
  sub.asked = true;
  for (const name of reading.unsubscribe) forget(sub, name);
  for (const name of reading.subscribe) remember(sub, name);
  for (const name of reading.vanished) if (name !== '') setAbsent(sub, name, 'owed');
  if (wasSubscribed === isSubscribed(sub)) return [];
  if (!wasSubscribed) return [{ type: 'joined', claims: sub.claims }, ...(isKept ? keep(sub) : [])];
  sub.sent = null;
  sub.again = false;
  return [{ type: 'left' }];
}

/** Sends nothing, since the client has the target. Only for delta: SotW's version is that of a response, and an answer is due. */
function keep(sub: Subscription): StreamAction[] {
  const { target } = sub;
  if (target.version === NO_RELEASE) return [];
  sub.sent = { target, refused: false };
  sub.again = false;
  return [{ type: 'kept', target }];
}

function forget(sub: Subscription, name: string): void {
  sub.names.delete(name);
  sub.absent?.delete(name);
  // Still subscribed through `*`, but the client has dropped it: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#unsubscribing-from-resources
  if (name === sub.resource && sub.names.has('*')) sub.again = true;
}

function remember(sub: Subscription, name: string): void {
  sub.names.add(name);
  // Subscribing to a name again means sending it again: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#subscribing-to-resources
  if (name === sub.resource) sub.again = true;
  else if (name !== '*' && sub.absent?.get(name) !== 'refused') setAbsent(sub, name, 'owed');
}

function setAbsent(sub: Subscription, name: string, state: 'owed' | 'sent' | 'refused'): void {
  sub.absent ??= new Map();
  sub.absent.set(name, state);
}

/** The next response, if one is due: the configured resource first and alone, so that it heals a poisoned layer. */
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
  for (const [name, state] of sub.absent ?? []) {
    if (state !== 'owed') continue;
    setAbsent(sub, name, 'sent');
    sub.nonce = nonceOf(target, name);
    sub.unanswered = { name, target };
    return [{ type: 'send_absent', typeUrl, nonce: sub.nonce, target, name }];
  }
  return [];
}

/** Whether the configured resource is due. The order of the checks matters. */
function isDue(sub: Subscription): boolean {
  const { sent, target, again } = sub;
  if (!isSubscribed(sub) || target.withheld) return false;
  // Without a release, the empty layer goes only to nodes that have nothing or need healing: anything else is better than it.
  const isRelease = target.version !== NO_RELEASE;
  // The first request is answered whatever it claims: the node may have been poisoned before it reconnected (see `keep`).
  if (sent === null) return isRelease || sub.claims === null;
  // After a refusal, only a later offer is sent (another release, a rollback, an operator's retry).
  if (sent.refused) return sent.target.seq < target.seq;
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#when-to-send-an-update
  return again || (isRelease && sent.target.version !== target.version);
}
