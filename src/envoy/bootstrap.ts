import { stringify } from 'yaml';

import { formatAddress, type Address } from './address.ts';
import { backendClusters } from './backends.ts';
import { ingressListener, type LuaSource } from './listener.ts';
import { viewKey } from '../release/runtime-keys.ts';
import { adminClusterName } from './own-clusters.ts';
import { dynamicResources, loadReports, rtdsLayers, xdsCluster, type XdsOptions } from './xds.ts';

export interface BootstrapOptions extends XdsOptions {
  readonly listen: Address;
  /** Path of the admin's Unix socket: the Lua bridge reads the runtime there. At most 107 bytes. */
  readonly adminSocket: string;
  /** The backends of every slot, including slots beyond the present `total_hosts`. */
  readonly endpoints: readonly Address[];
  readonly lua: LuaSource;
  /** xDS `node`. Default: id `envoy`, cluster `shardplane`. Envoy's --service-node and --service-cluster override it. */
  readonly node?: { readonly id?: string; readonly cluster?: string };
  /** Default: `hosts`. */
  readonly mode?: 'hosts' | 'clusters';
}

/**
 * A complete bootstrap for a stock Envoy 1.36 or later, as YAML.
 * Pure: the caller reads the Lua files. Never throws; Envoy's `--mode validate` checks the paths in it.
 */
export function makeBootstrap(options: BootstrapOptions): string {
  const mode = options.mode ?? 'hosts';
  const bootstrap = {
    node: { id: options.node?.id ?? 'envoy', cluster: options.node?.cluster ?? 'shardplane' },
    // 384 is 0600: whoever may write to the admin socket may stop this Envoy
    admin: { address: { pipe: { path: options.adminSocket, mode: 384 } } },
    layered_runtime: { layers: runtimeLayers(options, mode) },
    ...dynamicResources(options),
    cluster_manager: loadReports(),
    static_resources: {
      listeners: [ingressListener({ listen: options.listen, mode, lua: options.lua })],
      clusters: [xdsCluster(options), adminCluster(options.adminSocket), ...backendClusters(mode, options.endpoints)],
    },
  };
  return stringify(bootstrap, { lineWidth: 0, aliasDuplicateObjects: false });
}

/**
 * Lowest: addresses for the filter's default sizes, for an Envoy that starts without its control plane. Then the pushed
 * layers. Highest: an admin layer, so that `/runtime_modify` remains as the operator's last resort.
 */
function runtimeLayers(options: BootstrapOptions, mode: 'hosts' | 'clusters') {
  const hosts = options.endpoints.map(formatAddress).join(',');
  const fallback = { name: 'fallback', static_layer: { [viewKey('hosts')]: hosts } };
  return [...(mode === 'hosts' ? [fallback] : []), ...rtdsLayers(options), { name: 'admin', admin_layer: {} }];
}

/** The cluster `envoy_admin`: Envoy's own admin interface, which the bridge reads. */
function adminCluster(path: string) {
  return {
    name: adminClusterName,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: adminClusterName,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
    },
  };
}
