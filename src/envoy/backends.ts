import { toDiscovery, toSocketAddress, type Address } from './address.ts';

/** One cluster with all endpoints for hosts mode, or `backend_0`, `backend_1` ... for clusters mode. */
export function backendClusters(mode: 'hosts' | 'clusters', endpoints: readonly Address[]) {
  if (mode === 'hosts') {
    return [{ ...cluster('backends', endpoints), load_balancing_policy: shardPolicy() }];
  }
  return endpoints.map((endpoint, slot) => cluster(`backend_${String(slot)}`, [endpoint]));
}

function cluster(name: string, endpoints: readonly Address[]) {
  return {
    name,
    ...toDiscovery(endpoints),
    connect_timeout: '1s',
    circuit_breakers: circuitBreakers(),
    load_assignment: {
      cluster_name: name,
      endpoints: [
        { lb_endpoints: endpoints.map((endpoint) => ({ endpoint: { address: toSocketAddress(endpoint) } })) },
      ],
    },
  };
}

/**
 * Envoy's limits are per cluster, and with the defaults (1,024 requests, 3 retries at a time) one customer with a slow shard
 * could use them up for all. So the cluster has practically none, and each host has its own.
 */
function circuitBreakers() {
  const most = 1_000_000;
  return {
    thresholds: [{ max_connections: most, max_pending_requests: most, max_requests: most, max_retries: most }],
    per_host_thresholds: [{ max_connections: 1024 }],
  };
}

/** Only the Lua filter's ordered list: the fallback policy never matches, so an exhausted shard is a 503. */
function shardPolicy() {
  const types = 'type.googleapis.com/envoy.extensions.load_balancing_policies';
  const never = {
    '@type': `${types}.subset.v3.Subset`,
    fallback_policy: 'NO_FALLBACK',
    subset_selectors: [{ keys: ['never'] }],
    subset_lb_policy: policies('envoy.load_balancing_policies.random', { '@type': `${types}.random.v3.Random` }),
  };
  return policies('envoy.load_balancing_policies.override_host', {
    '@type': `${types}.override_host.v3.OverrideHost`,
    override_host_sources: [{ metadata: { key: 'shard', path: [{ key: 'hosts' }] } }],
    fallback_policy: policies('envoy.load_balancing_policies.subset', never),
  });
}

function policies(name: string, config: object) {
  return { policies: [{ typed_extension_config: { name, typed_config: config } }] };
}
