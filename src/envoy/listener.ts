import { toSocketAddress, type Address } from './address.ts';

export interface ListenerOptions {
  readonly listen: Address;
  /** `hosts`: one cluster, the host is chosen by override_host. `clusters`: one cluster for each slot, chosen by a header. */
  readonly mode: 'hosts' | 'clusters';
  readonly lua: LuaSource;
}

/**
 * The text of envoy/shardplane.lua, or of the two filters that do the same:
 * envoy/runtime_bridge.lua and envoy/shuffle_shard.lua.
 */
export type LuaSource = { readonly shardplane: string } | { readonly bridge: string; readonly shard: string };

/** The listener `ingress`: the filter or filters, the router, and one route for everything. */
export function ingressListener({ listen, mode, lua }: ListenerOptions) {
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'ingress',
    use_remote_address: true,
    request_headers_timeout: '10s',
    ...(mode === 'clusters' ? dropTargetCluster() : {}),
    route_config: {
      name: 'ingress',
      ...('shardplane' in lua ? shardHeaders() : {}),
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: route(mode) }] }],
    },
    http_filters: [
      ...luaFilters(lua, mode === 'clusters'),
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  return {
    name: 'ingress',
    address: toSocketAddress(listen),
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  };
}

/**
 * The filter also drops a client's `x-target-cluster`. But if Lua ever fails, the request goes on without the filter, and a
 * client must never choose the cluster: `envoy_admin` is one.
 */
function dropTargetCluster() {
  const type = 'type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation';
  const typed_config = { '@type': type, mutations: [{ remove: 'x-target-cluster' }] };
  return {
    early_header_mutation_extensions: [{ name: 'envoy.http.early_header_mutation.header_mutation', typed_config }],
  };
}

function luaFilters(lua: LuaSource, chooseRoute: boolean) {
  if ('shardplane' in lua) return [luaFilter({ name: 'shardplane', source: lua.shardplane, chooseRoute })];
  return [
    luaFilter({ name: 'runtime_bridge', source: lua.bridge, chooseRoute: false }),
    luaFilter({ name: 'shuffle_shard', source: lua.shard, chooseRoute }),
  ];
}

/**
 * The x-shard-* headers, from the filter's metadata: cheaper here than in Lua. A missing value (of a refused request) makes
 * no header; what a client or a backend sends under these names is overwritten.
 */
function shardHeaders() {
  const headers = ['assignment', 'config', 'version'].map((key) => ({
    header: { key: `x-shard-${key}`, value: `%DYNAMIC_METADATA(shard:${key})%` },
    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  }));
  return { request_headers_to_add: headers, response_headers_to_add: headers };
}

/** `chooseRoute`: the filter's header decides the route, so Envoy must look it up again (at a cost for each request). */
function luaFilter({ name, source, chooseRoute }: { name: string; source: string; chooseRoute: boolean }) {
  return {
    name,
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua',
      stat_prefix: name,
      clear_route_cache: chooseRoute,
      default_source_code: { inline_string: source },
    },
  };
}

/** In hosts mode retries walk the customer's list; a cluster of one host has nowhere else to go. */
function route(mode: 'hosts' | 'clusters') {
  return {
    ...(mode === 'hosts' ? { cluster: 'backends' } : { cluster_header: 'x-target-cluster' }),
    timeout: '15s',
    retry_policy: {
      retry_on: 'connect-failure,refused-stream,reset-before-request',
      num_retries: 3,
      retry_back_off: { base_interval: '0.005s', max_interval: '0.05s' },
    },
  };
}
