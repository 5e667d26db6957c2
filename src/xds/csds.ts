import { status, type handleUnaryCall, type ServerDuplexStream } from '@grpc/grpc-js';
import { setImmediate } from 'node:timers/promises';
import type { Version } from '../ids.ts';
import { RUNTIME_TYPE } from '../release/encode.ts';
import { answerEach, isTooLong, toGrpcStatus, toServiceError, type OnFailure } from './answer.ts';
import { service } from './protos.ts';
import type { Session } from './session.ts';
import { NO_RELEASE, type NodeIdentity } from './stream/types.ts';

const CSDS = 'envoy.service.status.v3.ClientStatusDiscoveryService';

/** What the Client Status Discovery Service reports on. */
export interface ServedFleet {
  readonly sessions: () => Iterable<Session>;
  /** The version that a node should have. */
  readonly target: (node: NodeIdentity) => Version;
  readonly resource: string;
}

/** CSDS: our view of each client, with one ClientConfig for each stream. Responses are encoded. */
export function csdsHandlers(
  fleet: ServedFleet,
  onFailure: OnFailure,
): {
  FetchClientStatus: handleUnaryCall<ClientStatusRequest, Buffer>;
  StreamClientStatus: (call: ServerDuplexStream<ClientStatusRequest, Buffer>) => void;
} {
  const answer = oneByOne((request: ClientStatusRequest) => clientStatus(fleet, request));
  return {
    FetchClientStatus: (call, callback) => {
      answer(call.request).then(
        (response) => callback(null, response),
        (error: unknown) => callback(toGrpcStatus(error, call.getPeer(), onFailure)),
      );
    },
    StreamClientStatus: answerEach(answer, onFailure),
  };
}

/** Computes one answer at a time, however many are asked for. */
function oneByOne<Q, A>(answer: (request: Q) => Promise<A>): (request: Q) => Promise<A> {
  let turn: Promise<unknown> = Promise.resolve();
  return (request) => {
    const answered = turn.then(() => answer(request));
    turn = answered.catch(() => undefined);
    return answered;
  };
}

/** As decoded by proto-loader: absent fields are undefined. */
interface ClientStatusRequest {
  readonly node_matchers?: readonly NodeMatcher[];
}

interface NodeMatcher {
  readonly node_id?: StringMatcher;
}

interface StringMatcher {
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  readonly ignore_case?: boolean;
}

/** Each matcher of a request is compared with every node. */
const MAX_MATCHERS = 16;
/** Nodes per turn of the event loop. */
const SLICE = 100;

/** A response of many nodes is a concatenation of responses of few: https://protobuf.dev/programming-guides/encoding/#last-one-wins */
async function clientStatus(fleet: ServedFleet, { node_matchers = [] }: ClientStatusRequest): Promise<Buffer> {
  const isAsked = toMatch(node_matchers);
  const parts: Buffer[] = [];
  let slice: object[] = [];
  let seen = 0;
  for (const session of [...fleet.sessions()]) {
    const { node } = session;
    if (node !== null && isAsked(node.id)) slice.push(toConfig(fleet, session, node));
    if ((seen += 1) % SLICE > 0) continue;
    parts.push(encode(slice));
    slice = [];
    await setImmediate();
  }
  return Buffer.concat([...parts, encode(slice)]);
}

function encode(config: object[]): Buffer {
  return service(CSDS)['FetchClientStatus']?.responseSerialize({ config }) ?? Buffer.alloc(0);
}

/** Throws an error for the client if a matcher is not supported. */
function toMatch(nodeMatchers: readonly NodeMatcher[]): (id: string) => boolean {
  if (nodeMatchers.length > MAX_MATCHERS)
    throw toServiceError(status.RESOURCE_EXHAUSTED, `more than ${MAX_MATCHERS} node_matchers`);
  if (nodeMatchers.length === 0) return () => true;
  const matches = nodeMatchers.map(({ node_id: matcher = {} }) => toIdMatch(matcher));
  return (id) => {
    const lower = id.toLowerCase();
    return matches.some((match) => match(id, lower));
  };
}

/** `lower` is the id in lower case. */
function toIdMatch(matcher: StringMatcher): (id: string, lower: string) => boolean {
  const { ignore_case: ignoreCase = false } = matcher;
  const [kind, text] = Object.entries(matcher).find(([key]) => key in comparisons) ?? [];
  if (kind === undefined || typeof text !== 'string')
    throw toServiceError(status.UNIMPLEMENTED, 'node_matchers: only node_id by exact, prefix, suffix or contains');
  if (isTooLong(text)) throw toServiceError(status.RESOURCE_EXHAUSTED, 'a node matcher is longer than 256 bytes');
  const compare = comparisons[kind as keyof typeof comparisons];
  const wanted = ignoreCase ? text.toLowerCase() : text;
  return (id, lower) => compare(ignoreCase ? lower : id, wanted);
}

const comparisons = {
  exact: (id: string, text: string) => id === text,
  prefix: (id: string, text: string) => id.startsWith(text),
  suffix: (id: string, text: string) => id.endsWith(text),
  contains: (id: string, text: string) => id.includes(text),
};

function toConfig(fleet: ServedFleet, session: Session, node: NodeIdentity): object {
  const [region = '', zone = '', sub_zone = ''] = node.locality.split('/');
  return {
    node: {
      id: node.id,
      cluster: node.cluster,
      ...(node.locality !== '' && { locality: { region, zone, sub_zone } }),
      user_agent_name: node.userAgent,
      user_agent_version: node.userAgentVersion,
    },
    generic_xds_configs: session.resources.map((name) =>
      name === fleet.resource || name === '*'
        ? { type_url: RUNTIME_TYPE, name, ...toResourceStatus(fleet.target(node), session) }
        : { type_url: RUNTIME_TYPE, name, config_status: 'SYNCED', client_status: 'DOES_NOT_EXIST' },
    ),
  };
}

function toResourceStatus(target: Version, { last }: Session): object {
  const { sent, acked, refused } = last;
  const known = {
    ...(acked && { version_info: acked.version, last_updated: toTimestamp(acked.at) }),
    ...(refused && {
      error_state: {
        details: refused.message,
        version_info: refused.version,
        last_update_attempt: toTimestamp(refused.at),
      },
    }),
  };
  if (refused) return { ...known, config_status: 'ERROR', client_status: 'NACKED' };
  if (sent === null) return { ...known, config_status: 'NOT_SENT', client_status: 'REQUESTED' };
  const synced = acked?.version === target && target !== NO_RELEASE;
  return { ...known, config_status: synced ? 'SYNCED' : 'STALE', client_status: acked ? 'ACKED' : 'REQUESTED' };
}

function toTimestamp(at: number): object {
  return { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1e6 };
}
