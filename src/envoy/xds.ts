import { isIpAddress, toDiscovery, toSocketAddress, type Address } from './address.ts';
import { xdsClusterName } from './own-clusters.ts';

/** How Envoy talks to the control plane. */
export interface XdsOptions {
  readonly xds: Address;
  /** More daemons: each is used while all before it are down. Default: none. */
  readonly standbys?: readonly Address[];
  /** State of the world (the default), or incremental. */
  readonly transport?: 'sotw' | 'delta';
  /** One aggregated stream for all layers, instead of one stream each. */
  readonly ads?: boolean;
  /** RTDS layers, in rising precedence; each is a resource of that name. Default: `runtime`. */
  readonly layers?: readonly string[];
  /** Paths on the Envoy's machine: CA of the control plane's certificate, and the client certificate with its key. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** The RTDS layers of `layered_runtime`, lowest first. */
export function rtdsLayers(options: XdsOptions) {
  const config = options.ads === true ? { ads: {} } : { api_config_source: configSource(options) };
  return (options.layers ?? ['runtime']).map((name) => ({
    name: `rtds_${name}`,
    rtds_layer: { name, rtds_config: { resource_api_version: 'V3', ...config } },
  }));
}

/** `dynamic_resources` of an Envoy that aggregates, nothing otherwise. */
export function dynamicResources(options: XdsOptions) {
  return options.ads === true ? { dynamic_resources: { ads_config: configSource(options) } } : {};
}

function configSource(options: XdsOptions) {
  return {
    api_type: options.transport === 'delta' ? 'DELTA_GRPC' : 'GRPC',
    ...toDaemon(),
    set_node_on_first_message_only: true,
  };
}

/** `cluster_manager`: reports to the control plane how many requests the backends answered, and how many with an error. */
export function loadReports() {
  return { load_stats_config: { api_type: 'GRPC', ...toDaemon() } };
}

function toDaemon() {
  return { transport_api_version: 'V3', grpc_services: [{ envoy_grpc: { cluster_name: xdsClusterName } }] };
}

/**
 * The cluster `xds`: HTTP/2, with keepalive so that a dead control plane is noticed within half a minute. Each standby is a
 * priority of its own, and gRPC health checks find the first one that serves.
 */
export function xdsCluster(options: XdsOptions) {
  const daemons = daemonsOf(options);
  return {
    name: xdsClusterName,
    ...toDiscovery(daemons),
    connect_timeout: '2s',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: '20s', timeout: '5s' } },
        },
      },
    },
    ...tlsSocket(options, daemons),
    ...(daemons.length > 1 && healthChecks()),
    load_assignment: {
      cluster_name: xdsClusterName,
      // a name may have addresses that nothing listens on: one healthy address is enough for its priority
      ...(daemons.length > 1 && { policy: { overprovisioning_factor: 100_000 } }),
      endpoints: daemons.map((daemon, priority) => ({
        ...(priority > 0 && { priority }),
        lb_endpoints: [{ endpoint: { address: toSocketAddress(daemon) } }],
      })),
    },
  };
}

function daemonsOf({ xds, standbys = [] }: XdsOptions): readonly Address[] {
  return [xds, ...standbys];
}

/**
 * A daemon that is down, or has no release to serve, gets no new streams after 4 s. Its open streams go on: keepalive ends
 * those of a daemon that hangs.
 */
function healthChecks() {
  const intervals = { interval: '2s', no_traffic_interval: '2s' };
  const thresholds = { unhealthy_threshold: 2, healthy_threshold: 1 };
  return { health_checks: [{ timeout: '2s', ...intervals, ...thresholds, grpc_health_check: {} }] };
}

function tlsSocket({ tls }: XdsOptions, daemons: readonly Address[]) {
  if (tls === undefined) return {};
  return {
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
        ...serverName(daemons),
        common_tls_context: {
          alpn_protocols: ['h2'],
          tls_certificates: [{ certificate_chain: { filename: tls.cert }, private_key: { filename: tls.key } }],
          validation_context: {
            trusted_ca: { filename: tls.ca },
            match_typed_subject_alt_names: daemons.map((daemon) => ({
              san_type: isIpAddress(daemon) ? 'IP_ADDRESS' : 'DNS',
              matcher: { exact: daemon.host },
            })),
          },
        },
      },
    },
  };
}

/** The SNI: the daemon's name or, of several, that of the one being connected to. An IP address is not a name. */
function serverName(daemons: readonly Address[]) {
  const names = daemons.filter((daemon) => !isIpAddress(daemon)).map(({ host }) => host);
  if (names.length === 0) return {};
  return daemons.length === 1 ? { sni: names[0] } : { auto_host_sni: true };
}
