import { status, type handleUnaryCall, type ServerDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { RUNTIME_TYPE } from '../release/encode.ts';
import type { Session } from './session.ts';
import { NO_RELEASE, type NodeIdentity } from './stream/types.ts';

/** What the Client Status Discovery Service reports on. */
export interface Fleet {
  readonly sessions: () => Iterable<Session>;
  /** The version that every node shall have. */
  readonly target: () => string;
  readonly resource: string;
}

/** CSDS: our view of each client, one ClientConfig for each stream. */
export function csdsHandlers(fleet: Fleet): {
  FetchClientStatus: handleUnaryCall<ClientStatusRequest, object>;
  StreamClientStatus: (call: ServerDuplexStream<ClientStatusRequest, object>) => void;
} {
  return {
    FetchClientStatus: (call, callback) => {
      const answer = clientStatus(fleet, call.request);
      if (answer instanceof Error) callback(answer);
      else callback(null, answer);
    },
    StreamClientStatus: (call) => {
      call.on('data', (request: ClientStatusRequest) => {
        const answer = clientStatus(fleet, request);
        if (answer instanceof Error) call.emit('error', answer);
        // Not read on while the answer has not left: so a client that does not read costs one answer.
        else if (!call.write(answer, () => call.resume())) call.pause();
      });
      call.on('end', () => call.end());
    },
  };
}

/** As proto-loader decodes them: what is absent is undefined. */
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

function clientStatus(fleet: Fleet, { node_matchers = [] }: ClientStatusRequest): object | ServiceError {
  const matchers = node_matchers.map(({ node_id }) => node_id && toMatch(node_id));
  if (matchers.includes(undefined)) return unimplemented();
  const config: object[] = [];
  for (const session of fleet.sessions()) {
    const { node } = session;
    if (node === null) continue;
    if (matchers.length === 0 || matchers.some((match) => match?.(node.id)))
      config.push(toConfig(fleet, session, node));
  }
  return { config };
}

function toMatch(matcher: StringMatcher): ((id: string) => boolean) | undefined {
  const { exact, prefix, suffix, contains, ignore_case: ignoreCase } = matcher;
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  if (exact !== undefined) return (id) => fold(id) === fold(exact);
  if (prefix !== undefined) return (id) => fold(id).startsWith(fold(prefix));
  if (suffix !== undefined) return (id) => fold(id).endsWith(fold(suffix));
  if (contains !== undefined) return (id) => fold(id).includes(fold(contains));
  return undefined;
}

function unimplemented(): ServiceError {
  const details = 'node_matchers: only node_id by exact, prefix, suffix or contains';
  return Object.assign(new Error(details), { code: status.UNIMPLEMENTED, details }) as ServiceError;
}

function toConfig(fleet: Fleet, session: Session, node: NodeIdentity): object {
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
        ? { type_url: RUNTIME_TYPE, name, ...toResourceStatus(fleet.target(), session) }
        : { type_url: RUNTIME_TYPE, name, config_status: 'SYNCED', client_status: 'DOES_NOT_EXIST' },
    ),
  };
}

function toResourceStatus(target: string, { last }: Session): object {
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
