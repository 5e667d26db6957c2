import { createSubscription, isSubscribed, onOffer, onRequest } from './subscription.ts';
import type {
  NodeIdentity,
  Rejection,
  Request,
  StreamAction,
  StreamEvent,
  StreamLimits,
  Subscription,
  Target,
} from './types.ts';
import { RUNTIME_TYPE } from '../../release/encode.ts';

/** Updated in place by `step`. */
export interface StreamState {
  /** Aggregated (ADS): each request names its type. Otherwise the method does. */
  readonly aggregated: boolean;
  readonly limits: StreamLimits;
  node: NodeIdentity | null;
  /** To the one type that is served. */
  readonly subscription: Subscription;
  /** Types asked for that are not served. */
  unsupported: readonly string[];
  ended: boolean;
}

/** A new stream. `resource`: the name of the configured resource; `target`: the fleet's target. */
export function createStream(options: {
  readonly aggregated: boolean;
  readonly resource: string;
  readonly target: Target;
  readonly limits: StreamLimits;
}): StreamState {
  const { aggregated, limits, resource, target } = options;
  const subscription = createSubscription({ typeUrl: RUNTIME_TYPE, resource, target });
  return { aggregated, limits, node: null, subscription, unsupported: NO_TYPES, ended: false };
}

/** Applies one event to `state`, in place; returns what to do, in order. */
export function step(state: StreamState, event: StreamEvent): StreamAction[] {
  if (state.ended) return [];
  switch (event.type) {
    case 'request':
      return request(state, event.request, event.trusted ?? false);
    case 'offer':
      return onOffer(state.subscription, event.target);
    case 'end':
      return end(state);
  }
}

function request(state: StreamState, request: Request, trusted: boolean): StreamAction[] {
  // Only the first message must name the node, and later names are ignored.
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#basic-protocol-overview
  const nodeFault = state.node === null ? findNodeFault(request.node, state.limits) : null;
  state.node ??= request.node;
  const typeUrl = typeOf(state, request);
  const fault = nodeFault ?? (typeUrl === '' ? invalid(NO_TYPE) : null);
  if (fault !== null) return [...end(state), { type: 'reject', ...fault }];
  // A type that is not served gets no answer: an empty one would delete what the node has.
  if (typeUrl !== RUNTIME_TYPE) return unsupported(state, typeUrl);
  const excess = findExcess(state, request);
  if (excess !== null) return [...end(state), { type: 'reject', ...excess }];
  return onRequest(state.subscription, request, trusted);
}

/** Whether the stream subscribes to the runtime layer, which makes its node a member of the fleet. */
export function isMember({ subscription, ended }: StreamState): boolean {
  return !ended && isSubscribed(subscription);
}

/** A response is unanswered. */
export function isUnanswered({ subscription, ended }: StreamState): boolean {
  return !ended && subscription.unanswered !== null;
}

/** All resource names that are subscribed to. */
export function namesOf({ subscription }: StreamState): string[] {
  return [...subscription.names];
}

/** Shared by the streams: nearly all of them ask for nothing else. */
const NO_TYPES: readonly string[] = [];

const NO_TYPE = 'type_url is required on an aggregated stream';

/** Why a request's names exceed the limits, or null. */
function findExcess(state: StreamState, request: Request): Rejection | null {
  const { limits } = state;
  if (countNames(state, request) > limits.names)
    return exhausted(`more than ${limits.names} resource names on one stream`);
  if (namesIn(request).some((name) => tooLong(name, limits)))
    return exhausted(`a resource name is longer than ${limits.nameBytes} bytes`);
  return null;
}

/** Why a node is not acceptable, or null. Check this before using its id for anything. */
export function findNodeFault(node: NodeIdentity | null, limits: StreamLimits): Rejection | null {
  if (node === null || node.id === '')
    return invalid('the first message of the stream must name a node: node.id is empty');
  if (tooLong(node.id, limits)) return exhausted(`node.id is longer than ${limits.nameBytes} bytes`);
  // eslint-disable-next-line no-control-regex -- looks for them
  if (/[\x00-\x1f\x7f]/.test(node.id)) return invalid('node.id holds a control character');
  return null;
}

function typeOf(state: StreamState, request: Request): string {
  return request.typeUrl === '' && !state.aggregated ? RUNTIME_TYPE : request.typeUrl;
}

function namesIn({ body }: Request): readonly string[] {
  return body.dialect === 'sotw' ? body.names : [...body.subscribe, ...body.initialVersions.keys()];
}

/** How many names the stream would be subscribed to after this request, ignoring unsubscriptions. */
function countNames(state: StreamState, request: Request): number {
  const { limits } = state;
  const names = namesIn(request);
  if (request.body.dialect === 'sotw' || names.length === 0 || names.length > limits.names) return names.length;
  return new Set([...namesOf(state), ...names]).size;
}

/** Reports each type once, up to a limit. */
function unsupported(state: StreamState, typeUrl: string): StreamAction[] {
  const { unsupported: seen, limits } = state;
  if (seen.length >= limits.types || tooLong(typeUrl, limits) || seen.includes(typeUrl)) return [];
  state.unsupported = [...seen, typeUrl];
  return [{ type: 'unsupported', typeUrl }];
}

function end(state: StreamState): StreamAction[] {
  const wasMember = isMember(state);
  state.ended = true;
  return wasMember ? [{ type: 'left' }] : [];
}

function tooLong(text: string, { nameBytes }: StreamLimits): boolean {
  return text.length > nameBytes || Buffer.byteLength(text) > nameBytes;
}

function invalid(message: string): Rejection {
  return { code: 'INVALID_ARGUMENT', message };
}

function exhausted(message: string): Rejection {
  return { code: 'RESOURCE_EXHAUSTED', message };
}
