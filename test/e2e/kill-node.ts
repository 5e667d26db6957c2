import { setTimeout as sleep } from 'node:timers/promises';
import { versionOf, XdsClient, type WireResponse } from '../xds/client.ts';

/** A key that the node refuses, as an Envoy refuses a bad value. */
export const refusedKey = 'test.refused';

interface KillNodeOptions {
  /** Default: `node-1`. */
  readonly id?: string;
  /** What it refuses wherever it is in a push. Default: the key above. */
  readonly refuses?: string;
  /** Called with each push before it is answered, and with the answer. */
  readonly onPush?: (push: Push) => void;
}

/** A release as a node got it. */
export interface Push {
  readonly node: string;
  /** The daemon's process it came from is another with each number. */
  readonly stream: number;
  readonly version: string;
  readonly content: Buffer;
  readonly isRefused: boolean;
}

/** What an Envoy does over restarts of the daemon: reconnects, names what it holds, accepts or refuses each push. */
export class KillNode {
  readonly id: string;
  /** The last version that it accepted. */
  held: string | null = null;
  readonly acked = new Set<string>();
  readonly nacked = new Set<string>();
  /** Versions that must not be pushed any more. */
  readonly over = new Set<string>();
  readonly violations: string[] = [];
  readonly #address: string;
  readonly #options: KillNodeOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #streams = 0;

  constructor(address: string, options: KillNodeOptions = {}) {
    this.#address = address;
    this.#options = options;
    this.id = options.id ?? 'node-1';
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      using client = new XdsClient(this.#address);
      const cancel = () => client.stream.cancel();
      this.#stop.signal.addEventListener('abort', cancel);
      client.stream.on('data', (response: WireResponse) => this.#answer(client, response));
      client.send({ node: { id: this.id }, resource_names: ['runtime'], version_info: this.held ?? '' });
      await new Promise((resolve) => client.stream.once('status', resolve));
      this.#stop.signal.removeEventListener('abort', cancel);
      this.#streams += 1;
      await sleep(20);
    }
  }

  #answer(client: XdsClient, response: WireResponse): void {
    const { refuses = refusedKey, onPush } = this.#options;
    const version = versionOf(response) ?? '';
    if (this.over.has(version)) this.violations.push(`${version} was pushed again`);
    const content = Buffer.concat((response.resources ?? []).map(({ value }) => value ?? Buffer.alloc(0)));
    const isRefused = content.includes(refuses);
    if (/^[0-9a-f]{40}(\.\d+)?$/.test(version)) {
      (isRefused ? this.nacked : this.acked).add(version);
      if (!isRefused) this.held = version;
      onPush?.({ node: this.id, stream: this.#streams, version, content, isRefused });
    }
    client.send({
      response_nonce: response.nonce,
      version_info: this.held ?? '',
      resource_names: ['runtime'],
      ...(isRefused && { error_detail: { code: 13, message: `Invalid runtime entry value for ${refuses}` } }),
    });
  }
}
