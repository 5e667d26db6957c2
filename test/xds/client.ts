import {
  Client,
  credentials,
  type ChannelCredentials,
  type ChannelOptions,
  type ClientDuplexStream,
  type StatusObject,
} from '@grpc/grpc-js';
import { RUNTIME_TYPE } from '../../src/release/encode.ts';
import { service } from '../../src/xds/protos.ts';
import { until } from '../helpers/until.ts';

/** The four ways to speak RTDS. */
const methods = {
  sotw: ['envoy.service.runtime.v3.RuntimeDiscoveryService', 'StreamRuntime'],
  delta: ['envoy.service.runtime.v3.RuntimeDiscoveryService', 'DeltaRuntime'],
  'sotw ADS': ['envoy.service.discovery.v3.AggregatedDiscoveryService', 'StreamAggregatedResources'],
  'delta ADS': ['envoy.service.discovery.v3.AggregatedDiscoveryService', 'DeltaAggregatedResources'],
} as const;

export type Kind = keyof typeof methods;
export const kinds = Object.keys(methods) as Kind[];

export interface WireResponse {
  readonly version_info?: string;
  readonly system_version_info?: string;
  readonly nonce: string;
  readonly type_url: string;
  readonly resources?: readonly { readonly name?: string; readonly value?: Buffer }[];
  readonly removed_resources?: readonly string[];
}

interface Options {
  readonly kind?: Kind;
  readonly channel?: ChannelCredentials;
  readonly channelOptions?: ChannelOptions;
}

/** A hand-driven xDS client: one stream on a connection of its own. */
export class XdsClient implements Disposable {
  readonly kind: Kind;
  readonly received: WireResponse[] = [];
  readonly stream: ClientDuplexStream<object, WireResponse>;
  readonly #client: Client;
  #status: StatusObject | null = null;

  constructor(
    address: string,
    { kind = 'sotw', channel = credentials.createInsecure(), channelOptions }: Options = {},
  ) {
    this.kind = kind;
    const [name, method] = methods[kind];
    const definition = service(name)[method]!;
    this.#client = new Client(address, channel, {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      ...channelOptions,
    });
    this.stream = this.#client.makeBidiStreamRequest(
      definition.path,
      definition.requestSerialize as (value: object) => Buffer,
      definition.responseDeserialize as (bytes: Buffer) => WireResponse,
    );
    this.stream.on('data', (response: WireResponse) => this.received.push(response));
    this.stream.on('error', () => undefined);
    this.stream.on('status', (status: StatusObject) => (this.#status = status));
  }

  send(request: object): void {
    this.stream.write(this.kind.endsWith('ADS') ? { type_url: RUNTIME_TYPE, ...request } : request);
  }

  /** The first message: the node, and what it wants. */
  subscribe(node: string, names: readonly string[] = ['runtime']): void {
    this.send({
      node: { id: node },
      [this.kind.startsWith('sotw') ? 'resource_names' : 'resource_names_subscribe']: names,
    });
  }

  /** Answers the last response: ACK, or NACK with words. */
  answer(refusal?: string, names: readonly string[] = ['runtime']): void {
    const { nonce } = this.received.at(-1)!;
    this.send({
      response_nonce: nonce,
      ...(this.kind.startsWith('sotw') && { resource_names: names }),
      ...(refusal !== undefined && { error_detail: { code: 13, message: refusal } }),
    });
  }

  /** The `count`th response, counted from 1, once it is there. */
  async response(count: number): Promise<WireResponse> {
    await until(`response ${count}`, () => this.received.length >= count || this.#status !== null);
    if (this.received.length < count) throw new Error(`the stream ended: ${JSON.stringify(this.#status)}`);
    return this.received[count - 1]!;
  }

  /** The status of another stream of the same method on the same connection. */
  async again(): Promise<StatusObject> {
    const [name, method] = methods[this.kind];
    const { path, requestSerialize, responseDeserialize } = service(name)[method]!;
    const stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    stream.on('error', () => undefined).on('data', () => undefined);
    return new Promise((resolve) => stream.once('status', resolve));
  }

  /** The stream's status, once it has ended. */
  ended(): Promise<StatusObject> {
    return until('the end of the stream', () => this.#status);
  }

  [Symbol.dispose](): void {
    this.stream.cancel();
    this.#client.close();
  }
}

/** The version that a response of either dialect names. */
export function versionOf(response: WireResponse): string | undefined {
  return response.version_info ?? response.system_version_info;
}
