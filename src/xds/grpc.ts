import { Server, type ServerCredentials, type ServerOptions, type ServiceDefinition } from '@grpc/grpc-js';
import { shareFrames, unframe } from './frames.ts';
import { service } from './protos.ts';
import { decodeRequest } from './request.ts';
import type { XdsCall } from './session.ts';
import type { XdsSettings } from './settings.ts';
import type { Dialect } from './stream/types.ts';

/** Takes one new stream. */
export type Accept = (call: XdsCall, kind: { readonly dialect: Dialect; readonly aggregated: boolean }) => void;

/** A gRPC server with the limits of `settings` and the four xDS methods. */
export function createGrpcServer(settings: XdsSettings, accept: Accept): Server {
  const server = new Server(toOptions(settings));
  for (const aggregated of [false, true]) {
    const definition = service(aggregated ? ADS : RTDS);
    server.addService(withFrames(definition), {
      [aggregated ? 'StreamAggregatedResources' : 'StreamRuntime']: (call: XdsCall) =>
        accept(call, { dialect: 'sotw', aggregated }),
      [aggregated ? 'DeltaAggregatedResources' : 'DeltaRuntime']: (call: XdsCall) =>
        accept(call, { dialect: 'delta', aggregated }),
    });
  }
  return server;
}

const RTDS = 'envoy.service.runtime.v3.RuntimeDiscoveryService';
const ADS = 'envoy.service.discovery.v3.AggregatedDiscoveryService';

/** Binds the port; rejects with the system's words. */
export function bind(server: Server, settings: XdsSettings, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(toTarget(settings), credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

function toTarget({ address, port }: XdsSettings): string {
  if (address.startsWith('unix:')) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function toOptions({ limits, keepalive }: XdsSettings): ServerOptions {
  return {
    'grpc.max_receive_message_length': limits.requestBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.connectionStreams,
    'grpc.keepalive_time_ms': keepalive.intervalMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    'grpc.enable_channelz': 0,
    interceptors: [shareFrames],
  };
}

/** The service with requests as the stream's step reads them, and responses that are framed already. */
function withFrames(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      {
        ...method,
        requestDeserialize: (bytes: Buffer) => decodeRequest(name.startsWith('Delta') ? 'delta' : 'sotw', bytes),
        responseSerialize: unframe,
      },
    ]),
  );
}
