import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { ShardConfig } from '../../../src/config/config.ts';
import { makeBootstrap } from '../../../src/envoy/bootstrap.ts';
import { compileRelease } from '../../../src/release/compile.ts';
import { encodeLayer } from '../../../src/release/layer.ts';
import type { Encoding } from '../../../src/release/packed.ts';
import { encodedRuntime, type EncodedRelease } from '../../../src/xds/push.ts';
import { XdsServer } from '../../../src/xds/xds-server.ts';
import { settings } from '../../../test/xds/support.ts';
import { startEnvoy, type Envoy } from '../../../test/helpers/envoy.ts';
import { now } from '../clock.ts';

/** What an Envoy of the benchmark runs. */
export type Kind = 'router' | 'no-op Lua' | 'shardplane, publish off' | 'shardplane' | 'two filters';

export const kinds: readonly Kind[] = ['router', 'no-op Lua', 'shardplane, publish off', 'shardplane', 'two filters'];

const lua = (name: string) => readFileSync(new URL(`../../../envoy/${name}.lua`, import.meta.url), 'utf8');
const nothing = 'function envoy_on_request() end';

function sourceOf(kind: Kind) {
  switch (kind) {
    case 'two filters':
      return { bridge: lua('runtime_bridge'), shard: lua('shuffle_shard') };
    case 'shardplane':
      return { shardplane: lua('shardplane') };
    case 'shardplane, publish off':
      return { shardplane: lua('shardplane').replace('publish = true', 'publish = false') };
    case 'router':
    case 'no-op Lua':
      return { shardplane: nothing };
  }
}

/** The parts of a bootstrap that are different without our filters. */
interface Bootstrap {
  static_resources: {
    listeners: [{ filter_chains: [{ filters: [{ typed_config: Manager }] }] }];
    clusters: { name: string; load_balancing_policy?: object }[];
  };
}

interface Manager {
  http_filters: { name: string }[];
  route_config: { request_headers_to_add?: object; response_headers_to_add?: object };
}

/** Without the headers and the load balancing policy, and with Lua only if asked for. */
function withoutShards(text: string, kind: Kind): string {
  const bootstrap = parse(text) as Bootstrap;
  const manager = bootstrap.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
  if (kind === 'router') manager.http_filters = manager.http_filters.filter(({ name }) => name !== 'shardplane');
  delete manager.route_config.request_headers_to_add;
  delete manager.route_config.response_headers_to_add;
  for (const cluster of bootstrap.static_resources.clusters) delete cluster.load_balancing_policy;
  return stringify(bootstrap);
}

/** A running Envoy with a control plane of its own. */
export interface Contender extends AsyncDisposable {
  readonly kind: Kind;
  readonly envoy: Envoy;
  readonly port: number;
  /** Encodes a release with that many customers, before the clock starts. Each release changes every customer. */
  prepare(customers: number, encoding: Encoding): EncodedRelease;
  /** Pushes it; resolves to the ms until its ACK. */
  push(release: EncodedRelease): Promise<number>;
}

export interface ContenderOptions {
  readonly kind: Kind;
  readonly version: string;
  readonly backend: { readonly host: string; readonly port: number };
}

/** Starts one, on free ports. */
export async function startContender({ kind, version, backend }: ContenderOptions): Promise<Contender> {
  let acked: () => void = () => undefined;
  const server = new XdsServer({
    settings,
    onAction: (_, action) => {
      if (action.type === 'acked') acked();
    },
  });
  const xds = { host: '127.0.0.1', port: await server.listen() };
  const listen = { host: '127.0.0.1', port: 0 };
  const text = makeBootstrap({ xds, listen, adminSocket: 'ADMIN_SOCKET', endpoints: [backend], lua: sourceOf(kind) });
  const bootstrap = kind === 'router' || kind === 'no-op Lua' ? withoutShards(text, kind) : text;
  const envoy = await startEnvoy({ version, bootstrap });
  const hosts = Array<string>(8).fill(`${backend.host}:${backend.port}`);
  let pushes = 0;
  const prepare: Contender['prepare'] = (customers, encoding) => {
    const version = `${String((pushes += 1)).padStart(12, '0')}x`;
    const release = compileRelease(makeConfig(customers, pushes, hosts), { version, subject: '' });
    return encodedRuntime(release.version, 'runtime', encodeLayer(release, { resource: 'runtime', encoding }));
  };
  const push: Contender['push'] = (release) =>
    new Promise((resolve) => {
      const began = now();
      acked = () => resolve(now() - began);
      server.offer(release);
    });
  return {
    kind,
    envoy,
    port: await envoy.port(),
    prepare,
    push,
    [Symbol.asyncDispose]: async () => {
      await envoy.stop();
      await server.drain(0);
    },
  };
}

function makeConfig(customers: number, change: number, hosts: readonly string[]): ShardConfig {
  const sizes = Array.from({ length: customers }, (_, i) => [customerName(i), 1 + ((i + change) % 8)] as const);
  return { totalHosts: hosts.length, defaultShardSize: 2, customers: new Map(sizes), hosts, runtime: new Map() };
}

/** The nth customer of a release. */
export function customerName(index: number): string {
  return `customer-${String(index).padStart(6, '0')}`;
}
