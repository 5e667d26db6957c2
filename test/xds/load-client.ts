import {
  Client,
  credentials,
  type ChannelCredentials,
  type ClientDuplexStream,
  type StatusObject,
} from '@grpc/grpc-js';
import { LRS } from '../../src/xds/load/load-reports.ts';
import { service } from '../../src/xds/protos.ts';
import { until } from '../helpers/until.ts';

export const LOAD_STATS_REQUEST = 'envoy.service.load_stats.v3.LoadStatsRequest';

/** What the server asks for. */
export interface WireLoadResponse {
  readonly send_all_clusters?: boolean;
  readonly report_endpoint_granularity?: boolean;
  readonly clusters?: readonly string[];
  readonly load_reporting_interval: { readonly seconds?: number; readonly nanos?: number };
}

/** A hand-driven client of the Load Reporting Service: one stream on a connection of its own. */
export class LoadClient implements Disposable {
  readonly received: WireLoadResponse[] = [];
  readonly stream: ClientDuplexStream<object, WireLoadResponse>;
  readonly #client: Client;
  #status: StatusObject | null = null;

  constructor(address: string, channel: ChannelCredentials = credentials.createInsecure()) {
    const { path, requestSerialize, responseDeserialize } = service(LRS)['StreamLoadStats']!;
    this.#client = new Client(address, channel, { 'grpc.use_local_subchannel_pool': 1 });
    this.stream = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize as (value: object) => Buffer,
      responseDeserialize as (bytes: Buffer) => WireLoadResponse,
    );
    this.stream.on('data', (response: WireLoadResponse) => this.received.push(response));
    this.stream.on('error', () => undefined);
    this.stream.on('status', (status: StatusObject) => (this.#status = status));
  }

  /** Like an Envoy's first message. */
  begin(node: string): void {
    this.stream.write({ node: { id: node } });
  }

  /** One report: successes and errors by cluster. */
  report(clusters: Readonly<Record<string, readonly [ok: number, errors: number]>>): void {
    this.stream.write(toReport(clusters));
  }

  /** The seconds that the `count`th response says, counted from 1. */
  async interval(count: number): Promise<number> {
    await until(`response ${count}`, () => this.received.length >= count || this.#status !== null);
    if (this.received.length < count) throw new Error(`the stream ended: ${JSON.stringify(this.#status)}`);
    const { seconds = 0, nanos = 0 } = this.received[count - 1]!.load_reporting_interval;
    return seconds + nanos / 1e9;
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

/** A LoadStatsRequest of successes and errors by cluster. */
export function toReport(clusters: Readonly<Record<string, readonly [ok: number, errors: number]>>): object {
  return {
    cluster_stats: Object.entries(clusters).map(([cluster_name, [ok, errors]]) => ({
      cluster_name,
      upstream_locality_stats: [{ total_successful_requests: ok, total_error_requests: errors }],
    })),
  };
}
