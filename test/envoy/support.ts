import { request, Agent, type IncomingHttpHeaders } from 'node:http';
import { parse, stringify } from 'yaml';

import { makeBootstrap, type BootstrapOptions } from '../../src/envoy/bootstrap.ts';
import { parseAddress } from '../../src/envoy/address.ts';
import type { LuaSource } from '../../src/envoy/listener.ts';
import { envoyVersions, luaFilters, startEnvoy, twoFilters, type Envoy, type EnvoyOptions } from '../helpers/envoy.ts';

/** What the static runtime of a test's Envoy says; `/runtime_modify` changes it. */
export type RuntimeValues = Record<string, string | number | boolean>;

export interface FilterSetup extends Omit<EnvoyOptions, 'bootstrap'> {
  readonly runtime: RuntimeValues;
  /** `ip:port` of each endpoint of the cluster(s). */
  readonly endpoints?: readonly string[];
  readonly mode?: 'hosts' | 'clusters';
  readonly lua?: LuaSource;
  /** Changes the bootstrap before it is used. */
  readonly edit?: (bootstrap: Bootstrap) => void;
}

/** Both ways to run the Lua: the filters, and what each calls itself in stats and logs. */
export const luaKinds = [
  { kind: 'one filter', lua: luaFilters, reader: 'shardplane', sharder: 'shardplane' },
  { kind: 'two filters', lua: twoFilters, reader: 'runtime_bridge', sharder: 'shuffle_shard' },
] as const;

/** Each Envoy with each of them. */
export const luaSetups = envoyVersions.flatMap((version) => luaKinds.map((setup) => ({ version, ...setup })));

/** The filters with other settings; each must be in one of them. */
export function withSettings<T extends LuaSource>(lua: T, settings: Readonly<Record<string, string | number>>): T {
  const used = new Set<string>();
  const change = (text: string) =>
    Object.entries(settings).reduce((changed, [name, value]) => {
      const pattern = new RegExp(`^  ${name} = [^,]+,`, 'm');
      if (pattern.test(changed)) used.add(name);
      return changed.replace(pattern, `  ${name} = ${value},`);
    }, text);
  const changed = Object.fromEntries(Object.entries(lua).map(([name, text]) => [name, change(text)])) as T;
  for (const name of Object.keys(settings)) if (!used.has(name)) throw new Error(`no filter has the setting ${name}`);
  return changed;
}

/** The parts of a bootstrap that tests change. */
export interface Bootstrap {
  layered_runtime: { layers: object[] };
  stats_config?: object;
  static_resources: {
    listeners: {
      filter_chains: { filters: { typed_config: { http_filters: { name: string }[]; route_config: RouteConfig } }[] }[];
    }[];
    clusters: { name: string }[];
  };
}

export interface RouteConfig {
  virtual_hosts: { routes: Record<string, unknown>[] }[];
}

/** The bootstrap of an Envoy with our filters, and with a control plane that is not there. */
export function filtersBootstrap(
  options: Partial<Pick<BootstrapOptions, 'listen' | 'lua' | 'mode'>> & { endpoints?: readonly string[] },
): string {
  const { endpoints = ['127.0.0.1:1'], ...rest } = options;
  return makeBootstrap({
    xds: { host: '127.0.0.1', port: 1 },
    listen: { host: '127.0.0.1', port: 0 },
    adminSocket: 'ADMIN_SOCKET',
    endpoints: endpoints.map((endpoint) => parseAddress(endpoint)!),
    lua: luaFilters,
    ...rest,
  });
}

/** An Envoy with our filters and a runtime of its own: no control plane. */
export function startFilters(setup: FilterSetup): Promise<Envoy> {
  const { runtime, endpoints = ['127.0.0.1:1'], mode = 'hosts', lua = luaFilters, edit, ...rest } = setup;
  const bootstrap = parse(filtersBootstrap({ endpoints, lua, mode })) as Bootstrap;
  const layer = { name: 'test', static_layer: runtime };
  bootstrap.layered_runtime = { layers: [layer, { name: 'admin', admin_layer: {} }] };
  edit?.(bootstrap);
  return startEnvoy({ bootstrap: stringify(bootstrap), ...rest });
}

/** Replaces the one route's action: answers 200 without a backend. */
export function answerDirectly(bootstrap: Bootstrap): void {
  const manager = bootstrap.static_resources.listeners[0]!.filter_chains[0]!.filters[0]!.typed_config;
  manager.route_config.virtual_hosts[0]!.routes = [{ match: { prefix: '/' }, direct_response: { status: 200 } }];
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends requests to an Envoy's listener over kept connections. */
export interface Client extends Disposable {
  send(path: string, headers?: readonly string[] | Record<string, string>, body?: Buffer): Promise<Answer>;
  /** A request of that customer. */
  as(customer: string, path?: string): Promise<Answer>;
}

/** A client with `connections` connections at most. */
export function makeClient(port: number, connections = 1): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const send: Client['send'] = (path, headers = {}, body) =>
    new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        path,
        agent,
        timeout: 20_000,
        method: body === undefined ? 'GET' : 'POST',
      };
      const raw = Array.isArray(headers)
        ? ['host', 'test', ...(headers as string[])]
        : (headers as Record<string, string>);
      const call = request({ ...options, headers: raw }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode: status = 0, headers: received } = response;
          resolve({ status, headers: received, body: Buffer.concat(chunks).toString() });
        });
      });
      call.on('timeout', () => call.destroy(new Error(`no answer to ${path} in 20 s`)));
      call.on('error', reject);
      call.end(body);
    });
  return {
    send,
    // header values are bytes: node writes them as latin1
    as: (customer, path = '/') => send(path, { 'x-customer-id': Buffer.from(customer).toString('latin1') }),
    [Symbol.dispose]: () => agent.destroy(),
  };
}
