import { Client, credentials, type ClientDuplexStream, type StatusObject } from '@grpc/grpc-js';
import { once } from 'node:events';
import { service } from '../../src/xds/protos.ts';

export const RUNTIME_TYPE = 'type.googleapis.com/envoy.service.runtime.v3.Runtime';

/** The four ways to speak RTDS. */
export const methods = {
  sotw: ['envoy.service.runtime.v3.RuntimeDiscoveryService', 'StreamRuntime'],
  delta: ['envoy.service.runtime.v3.RuntimeDiscoveryService', 'DeltaRuntime'],
  ads: ['envoy.service.discovery.v3.AggregatedDiscoveryService', 'StreamAggregatedResources'],
  deltaAds: ['envoy.service.discovery.v3.AggregatedDiscoveryService', 'DeltaAggregatedResources'],
} as const;

export interface WireResponse {
  version_info?: string;
  system_version_info?: string;
  nonce: string;
  type_url: string;
  resources?: { name?: string; value?: Buffer }[];
  removed_resources?: string[];
}

/** A hand-driven xDS client: one stream of one channel. */
export class XdsClient {
  readonly received: WireResponse[] = [];
  readonly stream: ClientDuplexStream<object, WireResponse>;
  readonly client: Client;
  status: StatusObject | null = null;

  constructor(address: string, kind: keyof typeof methods = 'sotw', channel = credentials.createInsecure()) {
    const [name, method] = methods[kind];
    const definition = service(name)[method]!;
    this.client = new Client(address, channel, {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
    });
    this.stream = this.client.makeBidiStreamRequest(
      definition.path,
      definition.requestSerialize as (value: object) => Buffer,
      definition.responseDeserialize as (bytes: Buffer) => WireResponse,
    );
    this.stream.on('data', (response: WireResponse) => this.received.push(response));
    this.stream.on('error', () => undefined);
    this.stream.on('status', (status: StatusObject) => (this.status = status));
  }

  send(request: object): void {
    this.stream.write(request);
  }

  /** The response after the first `count`. */
  async response(count: number, ms = 5000): Promise<WireResponse> {
    await until(() => this.received.length > count, ms);
    return this.received[count]!;
  }

  async ended(): Promise<StatusObject> {
    if (this.status === null) await once(this.stream, 'status', { signal: AbortSignal.timeout(5000) });
    return this.status!;
  }

  close(): void {
    this.stream.cancel();
    this.client.close();
  }
}

/** Polls until `condition` holds; throws after `ms`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  ms = 5000,
  what = String(condition),
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
