import { stringify } from 'yaml';
import type { Kind } from './client.ts';

interface BootstrapOptions {
  readonly node: string;
  /** The xDS server's port on 127.0.0.1. */
  readonly port: number;
  readonly kind: Kind;
  /** Names of the RTDS layers, in order. Default: `runtime`. */
  readonly layers?: readonly string[];
  /** Paths (PEM): what the server is trusted by, and what this node shows. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string };
}

/** An Envoy that does nothing but take its runtime from an xDS server, in one of the four ways. */
export function toBootstrap({ node, port, kind, layers = ['runtime'], tls }: BootstrapOptions): string {
  const aggregated = kind.endsWith('ADS');
  const api = {
    api_type: kind.startsWith('delta') ? 'DELTA_GRPC' : 'GRPC',
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
  };
  const source = aggregated ? { ads: {} } : { api_config_source: api };
  return stringify({
    admin: { address: { pipe: { path: 'ADMIN_SOCKET' } } },
    node: { id: node, cluster: 'test', locality: { region: 'eu' } },
    layered_runtime: {
      layers: [
        ...layers.map((name) => ({
          name: `layer-${name}`,
          rtds_layer: { name, rtds_config: { resource_api_version: 'V3', ...source } },
        })),
        { name: 'admin', admin_layer: {} },
      ],
    },
    ...(aggregated && { dynamic_resources: { ads_config: { ...api, api_type: aggregatedType(kind) } } }),
    static_resources: {
      clusters: [
        {
          name: 'xds',
          type: 'STATIC',
          connect_timeout: '1s',
          ...(tls && { transport_socket: toTransportSocket(tls) }),
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: 'xds',
            endpoints: [
              {
                lb_endpoints: [
                  { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } },
                ],
              },
            ],
          },
        },
      ],
    },
  });
}

function aggregatedType(kind: Kind): string {
  return kind.startsWith('delta') ? 'DELTA_GRPC' : 'GRPC';
}

function toTransportSocket({ ca, certificate, key }: NonNullable<BootstrapOptions['tls']>) {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      common_tls_context: {
        tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
        validation_context: { trusted_ca: { filename: ca } },
        alpn_protocols: ['h2'],
      },
    },
  };
}
