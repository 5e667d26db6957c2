import { isIpAddress, toDiscovery, toSocketAddress, type Address } from './address.ts';

/** How Envoy talks to the control plane. */
export interface XdsOptions {
  readonly xds: Address;
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
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
  };
}

/** The cluster `xds`: HTTP/2, with keepalive so that a dead control plane is noticed within half a minute. */
export function xdsCluster(options: XdsOptions) {
  return {
    name: 'xds',
    ...toDiscovery([options.xds]),
    connect_timeout: '2s',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: '20s', timeout: '5s' } },
        },
      },
    },
    ...tlsSocket(options),
    load_assignment: {
      cluster_name: 'xds',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: toSocketAddress(options.xds) } }] }],
    },
  };
}

function tlsSocket({ tls, xds }: XdsOptions) {
  if (tls === undefined) return {};
  const byIp = isIpAddress(xds);
  return {
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
        ...(byIp ? {} : { sni: xds.host }),
        common_tls_context: {
          alpn_protocols: ['h2'],
          tls_certificates: [{ certificate_chain: { filename: tls.cert }, private_key: { filename: tls.key } }],
          validation_context: {
            trusted_ca: { filename: tls.ca },
            match_typed_subject_alt_names: [{ san_type: byIp ? 'IP_ADDRESS' : 'DNS', matcher: { exact: xds.host } }],
          },
        },
      },
    },
  };
}
