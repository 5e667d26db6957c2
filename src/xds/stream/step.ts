import { createSubscription, isSubscribed, onOffer, onRequest } from './subscription.ts';
import type { NodeIdentity, Request, StreamAction, StreamEvent, StreamLimits, Subscription, Target } from './types.ts';
import { RUNTIME_TYPE } from '../../release/encode.ts';

type Reject = Extract<StreamAction, { type: 'reject' }>;

/** One xDS stream. Updated in place by `step`. */
export interface StreamState {
  /** Aggregated (ADS): the type is said by each request. Else the method says it. */
  readonly aggregated: boolean;
  readonly limits: StreamLimits;
  node: NodeIdentity | null;
  /** By type URL: each type that is served has one. */
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  /** Types asked for that are not served. */
  readonly unsupported: Set<string>;
  ended: boolean;
}

/** A stream that has just been opened. `resource`: the configured resource's name; `target`: what the fleet shall have now. */
export function createStream(options: {
  readonly aggregated: boolean;
  readonly resource: string;
  readonly target: Target;
  readonly limits: StreamLimits;
}): StreamState {
  const { aggregated, limits, resource, target } = options;
  const subscriptions = new Map([[RUNTIME_TYPE, createSubscription({ typeUrl: RUNTIME_TYPE, resource, target })]]);
  return { aggregated, limits, node: null, subscriptions, unsupported: new Set(), ended: false };
}

/** The protocol: what one stream does about one event. Updates `state` in place and returns what is to be done, in order. */
export function step(state: StreamState, event: StreamEvent): StreamAction[] {
  if (state.ended) return [];
  switch (event.type) {
    case 'request':
      return request(state, event.request, event.trusted ?? false);
    case 'offer':
      return offer(state, event.target);
    case 'end':
      return end(state);
  }
}

function request(state: StreamState, request: Request, trusted: boolean): StreamAction[] {
  // Only the first message is sure to name the node, and later names change nothing.
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#basic-protocol-overview
  const nodeFault = state.node === null ? findNodeFault(request.node, state.limits) : null;
  state.node ??= request.node;
  const typeUrl = typeOf(state, request);
  const fault = nodeFault ?? (typeUrl === '' ? invalid(NO_TYPE) : null);
  if (fault !== null) return [...end(state), fault];
  // Never an answer to a type that is not served: an empty one would delete what the node has.
  const subscription = state.subscriptions.get(typeUrl);
  if (subscription === undefined) return unsupported(state, typeUrl);
  const excess = findExcess(state, request);
  if (excess !== null) return [...end(state), excess];
  return onRequest(subscription, request, trusted);
}

function offer({ subscriptions }: StreamState, target: Target): StreamAction[] {
  let actions: StreamAction[] = [];
  for (const subscription of subscriptions.values()) {
    const due = onOffer(subscription, target);
    actions = actions.length === 0 ? due : [...actions, ...due];
  }
  return actions;
}

/** Does the stream want the release, so that its node is a member of the fleet? The runtime layer is what says so. */
export function isMember({ subscriptions, ended }: StreamState): boolean {
  const runtime = subscriptions.get(RUNTIME_TYPE);
  return !ended && runtime !== undefined && isSubscribed(runtime);
}

/** A response of ours waits for its answer. */
export function isUnanswered({ subscriptions, ended }: StreamState): boolean {
  return !ended && subscriptions.values().some(({ unanswered }) => unanswered !== null);
}

/** All resource names that are subscribed to. */
export function namesOf({ subscriptions }: StreamState): string[] {
  return [...subscriptions.values().flatMap(({ names }) => names)];
}

const NO_TYPE = 'type_url is required on an aggregated stream';

/** Why the names of a request are too much, or null. Those of a type that is not served cost nothing: they are not looked at. */
function findExcess(state: StreamState, request: Request): Reject | null {
  const { limits } = state;
  if (countNames(state, request) > limits.names)
    return exhausted(`more than ${limits.names} resource names on one stream`);
  if (namesIn(request).some((name) => tooLong(name, limits)))
    return exhausted(`a resource name is longer than ${limits.nameBytes} bytes`);
  return null;
}

/** Why a stream cannot be this node's, or null. Whoever looks at a node.id in another way asks this first. */
export function findNodeFault(node: NodeIdentity | null, limits: StreamLimits): Reject | null {
  if (node === null || node.id === '')
    return invalid('the first message of the stream must name a node: node.id is empty');
  if (tooLong(node.id, limits)) return exhausted(`node.id is longer than ${limits.nameBytes} bytes`);
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  if (/[\x00-\x1f\x7f]/.test(node.id)) return invalid('node.id holds a control character');
  return null;
}

function typeOf(state: StreamState, request: Request): string {
  return request.typeUrl === '' && !state.aggregated ? RUNTIME_TYPE : request.typeUrl;
}

function namesIn({ body }: Request): readonly string[] {
  return body.dialect === 'sotw' ? body.names : [...body.subscribe, ...body.initialVersions.keys()];
}

/** How many names the stream would be subscribed to after this request, leaving aside those that it unsubscribes. */
function countNames(state: StreamState, request: Request): number {
  const { limits } = state;
  const names = namesIn(request);
  if (request.body.dialect === 'sotw' || names.length === 0 || names.length > limits.names) return names.length;
  return new Set([...namesOf(state), ...names]).size;
}

/** Said once for each, as far as they are remembered. */
function unsupported(state: StreamState, typeUrl: string): StreamAction[] {
  const { unsupported: seen, limits } = state;
  if (seen.size >= limits.types || tooLong(typeUrl, limits) || seen.has(typeUrl)) return [];
  seen.add(typeUrl);
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

function invalid(message: string): Reject {
  return { type: 'reject', code: 'INVALID_ARGUMENT', message };
}

function exhausted(message: string): Reject {
  return { type: 'reject', code: 'RESOURCE_EXHAUSTED', message };
}
