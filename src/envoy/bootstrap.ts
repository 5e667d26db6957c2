import { stringify } from 'yaml';

import { formatAddress, type Address } from './address.ts';
import { backendClusters } from './backends.ts';
import { ingressListener, type LuaSource } from './listener.ts';
import { viewKey } from '../release/runtime-keys.ts';
import { dynamicResources, rtdsLayers, xdsCluster, type XdsOptions } from './xds.ts';

/** What an Envoy bootstrap is made of. */
export interface BootstrapOptions extends XdsOptions {
  readonly listen: Address;
  /** Path of the admin's Unix socket: the Lua bridge reads the runtime there. At most 107 bytes. */
  readonly adminSocket: string;
  /** Where the backends listen: those of every slot, also of slots that `total_hosts` does not reach yet. */
  readonly endpoints: readonly Address[];
  readonly lua: LuaSource;
  /** xDS `node`. Default: id `envoy`, cluster `shardplane`. Envoy's --service-node and --service-cluster override it. */
  readonly node?: { readonly id?: string; readonly cluster?: string };
  /** Default: `hosts`. */
  readonly mode?: 'hosts' | 'clusters';
}

/**
 * A complete bootstrap for a stock Envoy 1.36 or later, as YAML.
 * Pure: the Lua files are read by the caller. Throws nothing; Envoy's `--mode validate` is the judge of the paths in it.
 */
export function makeBootstrap(options: BootstrapOptions): string {
  const mode = options.mode ?? 'hosts';
  const bootstrap = {
    node: { id: options.node?.id ?? 'envoy', cluster: options.node?.cluster ?? 'shardplane' },
    // 384 is 0600: whoever may write to the admin socket may stop this Envoy
    admin: { address: { pipe: { path: options.adminSocket, mode: 384 } } },
    layered_runtime: { layers: runtimeLayers(options, mode) },
    ...dynamicResources(options),
    static_resources: {
      listeners: [ingressListener({ listen: options.listen, mode, lua: options.lua })],
      clusters: [xdsCluster(options), adminCluster(options.adminSocket), ...backendClusters(mode, options.endpoints)],
    },
  };
  return stringify(bootstrap, { lineWidth: 0, aliasDuplicateObjects: false });
}

/**
 * Lowest, what an Envoy that starts without its control plane falls back to: addresses for the filter's default numbers.
 * Then the pushed layers. Highest, an admin layer, so that `/runtime_modify` stays an operator's last resort.
 */
function runtimeLayers(options: BootstrapOptions, mode: 'hosts' | 'clusters') {
  const hosts = options.endpoints.map(formatAddress).join(',');
  const fallback = { name: 'fallback', static_layer: { [viewKey('hosts')]: hosts } };
  return [...(mode === 'hosts' ? [fallback] : []), ...rtdsLayers(options), { name: 'admin', admin_layer: {} }];
}

/** The cluster `envoy_admin`: Envoy's own admin interface, for the bridge. */
function adminCluster(path: string) {
  return {
    name: 'envoy_admin',
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: 'envoy_admin',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
    },
  };
}
