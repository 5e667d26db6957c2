import { createSubscription, isMember, onOffer, onRequest, type Subscription } from './subscription.ts';
import type { NodeIdentity, Request, StreamAction, StreamEvent, StreamLimits, Target } from './types.ts';
import { RUNTIME_TYPE } from '../../release/encode.ts';

type Reject = Extract<StreamAction, { type: 'reject' }>;

/** One xDS stream. Updated in place by `step`. */
export interface StreamState {
  /** Aggregated (ADS): the type is said by each request. Else the method says it. */
  readonly aggregated: boolean;
  readonly limits: StreamLimits;
  node: NodeIdentity | null;
  readonly runtime: Subscription;
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
  const runtime = createSubscription(resource, target);
  return { aggregated, limits, node: null, runtime, unsupported: new Set(), ended: false };
}

/** The protocol: what one stream does about one event. Updates `state` in place and returns what is to be done, in order. */
export function step(state: StreamState, event: StreamEvent): StreamAction[] {
  if (state.ended) return [];
  switch (event.type) {
    case 'request':
      return request(state, event.request);
    case 'offer':
      return onOffer(state.runtime, event.target);
    case 'end':
      return end(state);
  }
}

function request(state: StreamState, request: Request): StreamAction[] {
  // Only the first message is sure to name the node, and later names change nothing.
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#basic-protocol-overview
  state.node ??= request.node;
  const fault = findFault(state, request);
  if (fault !== null) return [...end(state), fault];
  // Never an answer to a type that is not served: an empty one would delete what the node has.
  const typeUrl = typeOf(state, request);
  if (typeUrl !== RUNTIME_TYPE) return unsupported(state, typeUrl);
  return onRequest(state.runtime, request);
}

/** Why the stream is to be ended, or null. */
function findFault(state: StreamState, request: Request): Reject | null {
  const { limits, aggregated, node } = state;
  const { typeUrl } = request;
  const nodeFault = findNodeFault(node, limits);
  if (nodeFault !== null) return nodeFault;
  if (typeUrl === '' && aggregated) return invalid('type_url is required on an aggregated stream');
  if (typeUrl !== RUNTIME_TYPE && tooLong(typeUrl, limits))
    return exhausted(`type_url is longer than ${limits.nameBytes} bytes`);
  const names = namesOf(request);
  if (countNames(state, request) > limits.names)
    return exhausted(`more than ${limits.names} resource names on one stream`);
  if (names.includes('')) return invalid('a resource name is empty');
  if (names.some((name) => tooLong(name, limits)))
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

function namesOf({ body }: Request): readonly string[] {
  return body.dialect === 'sotw' ? body.names : body.subscribe;
}

/** How many names the stream would be subscribed to after this request, leaving aside those that it unsubscribes. */
function countNames({ runtime, limits }: StreamState, request: Request): number {
  const names = namesOf(request);
  if (request.body.dialect === 'sotw' || names.length === 0 || names.length > limits.names) return names.length;
  return new Set([...runtime.names, ...names]).size;
}

function unsupported(state: StreamState, typeUrl: string): StreamAction[] {
  const { unsupported: seen, limits } = state;
  if (seen.has(typeUrl)) return [];
  if (seen.size >= limits.types) return [...end(state), exhausted(`more than ${limits.types} types on one stream`)];
  seen.add(typeUrl);
  return [{ type: 'unsupported', typeUrl }];
}

function end(state: StreamState): StreamAction[] {
  state.ended = true;
  return isMember(state.runtime) ? [{ type: 'left' }] : [];
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
