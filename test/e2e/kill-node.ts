import { setTimeout as sleep } from 'node:timers/promises';
import { versionOf, XdsClient, type WireResponse } from '../xds/client.ts';

/** A key that the node refuses, as an Envoy refuses a bad value. */
export const refusedKey = 'test.refused';

/** What an Envoy does over restarts of the daemon: reconnects, names what it holds, accepts or refuses each push. */
export class KillNode {
  /** The last version that it accepted. */
  held: string | null = null;
  readonly acked = new Set<string>();
  readonly nacked = new Set<string>();
  /** Versions that must not be pushed any more. */
  readonly over = new Set<string>();
  readonly violations: string[] = [];
  readonly #address: string;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(address: string) {
    this.#address = address;
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
      client.send({ node: { id: 'node-1' }, resource_names: ['runtime'], version_info: this.held ?? '' });
      await new Promise((resolve) => client.stream.once('status', resolve));
      this.#stop.signal.removeEventListener('abort', cancel);
      await sleep(20);
    }
  }

  #answer(client: XdsClient, response: WireResponse): void {
    const version = versionOf(response) ?? '';
    if (this.over.has(version)) this.violations.push(`${version} was pushed again`);
    const refuses = response.resources?.some(({ value }) => value?.includes(refusedKey)) ?? false;
    if (/^[0-9a-f]{40}$/.test(version)) {
      (refuses ? this.nacked : this.acked).add(version);
      if (!refuses) this.held = version;
    }
    client.send({
      response_nonce: response.nonce,
      version_info: this.held ?? '',
      resource_names: ['runtime'],
      ...(refuses && { error_detail: { code: 13, message: `Invalid runtime entry value for ${refusedKey}` } }),
    });
  }
}
