import {
  logVerbosity,
  Server,
  setLogVerbosity,
  type ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { shareFrames, unframe } from './frames.ts';
import { serviceWith } from './protos.ts';
import type { XdsSettings } from '../settings/settings.ts';
import type { Gate } from './gate.ts';
import type { XdsLimits } from './limits.ts';
import { decodeRequest } from './request.ts';
import type { XdsCall } from './session.ts';
import type { Dialect } from './stream/types.ts';

// grpc-js prints errors to stderr that it also returns, and that we report ourselves.
if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);

/** Which of the four xDS methods a stream uses. */
export interface StreamKind {
  readonly dialect: Dialect;
  readonly aggregated: boolean;
}

interface Bounds {
  readonly settings: Pick<XdsSettings, 'keepaliveMs' | 'maxConnectionAgeMs'>;
  readonly gate: Gate;
  readonly limits: XdsLimits;
  /** What is kept of node.metadata. */
  readonly metadataKeys: readonly string[];
}

/** A gRPC server with the four xDS methods; `accept` takes each new stream. */
export function createGrpcServer(bounds: Bounds, accept: (call: XdsCall, kind: StreamKind) => void): Server {
  const server = new Server(toOptions(bounds));
  tolerateResets(server);
  for (const aggregated of [false, true]) {
    server.addService(framedService(aggregated ? ADS : RTDS, bounds.metadataKeys), {
      [aggregated ? 'StreamAggregatedResources' : 'StreamRuntime']: (call: XdsCall) =>
        accept(call, { dialect: 'sotw', aggregated }),
      [aggregated ? 'DeltaAggregatedResources' : 'DeltaRuntime']: (call: XdsCall) =>
        accept(call, { dialect: 'delta', aggregated }),
    });
  }
  return server;
}

/**
 * A client resets each stream that we end, and nghttp2 closes a connection, with its healthy streams, after a burst of 1,000 resets (33 a
 * second later on): raises that limit. The field is not public in grpc-js; a version without it keeps nghttp2's limit.
 */
function tolerateResets(server: Server): void {
  const { commonServerOptions: options } = server as unknown as { commonServerOptions?: object };
  if (options) Object.assign(options, { streamResetBurst: 10_000, streamResetRate: 1_000 });
}

/** How long the clients of an old connection have to leave it. */
const AGE_GRACE_MS = 5_000;

/** When a connection without streams is closed. */
const IDLE_MS = 300_000;

const RTDS = 'envoy.service.runtime.v3.RuntimeDiscoveryService';
const ADS = 'envoy.service.discovery.v3.AggregatedDiscoveryService';

/** Binds the port; rejects with the address and the system's error. */
export function bind(server: Server, settings: Address, credentials: ServerCredentials): Promise<number> {
  const target = toTarget(settings);
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error, port) => {
      if (error === null) return resolve(port);
      const cause = /errors: \[(.*)\]/.exec(error.message)?.[1] ?? error.message;
      const inUse = `the xDS address ${target} is in use: another shardplane, or set xds.port`;
      const message = cause.includes('EADDRINUSE') ? inUse : `xDS can't listen on ${target}: ${cause}`;
      reject(new Error(message, { cause: error }));
    });
  });
}

type Address = Pick<XdsSettings, 'address' | 'port'>;

function toTarget({ address, port }: Address): string {
  if (address.startsWith('unix:')) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function toOptions({ settings, limits, gate }: Bounds): ServerOptions {
  return {
    'grpc.max_receive_message_length': limits.requestBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.connectionStreams,
    'grpc.keepalive_time_ms': settings.keepaliveMs,
    'grpc.keepalive_timeout_ms': settings.keepaliveMs,
    'grpc.max_connection_idle_ms': IDLE_MS,
    // grpc-js varies it by up to 10 %.
    'grpc.max_connection_age_ms': settings.maxConnectionAgeMs,
    'grpc.max_connection_age_grace_ms': AGE_GRACE_MS,
    'grpc.enable_channelz': 0,
    interceptors: [shareFrames, gate.intercept],
  };
}

/** Requests are decoded for the stream's step, and responses are framed already. */
function framedService(name: string, metadataKeys: readonly string[]): ServiceDefinition {
  return serviceWith(name, (method) => ({
    requestDeserialize: (bytes: Buffer) =>
      decodeRequest(method.startsWith('Delta') ? 'delta' : 'sotw', bytes, metadataKeys),
    responseSerialize: unframe,
  }));
}
