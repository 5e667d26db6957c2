import { isIP } from 'node:net';

/** Where something listens. */
export interface Address {
  /** An IP address (IPv6 without brackets) or a DNS name. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `HOST:PORT` or `[IPV6]:PORT`.
 * Returns null when it is neither, or the port is not in 0..65535.
 */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65535) return null;
  if (match?.[1] !== undefined && isIP(host) !== 6) return null;
  return { host, port };
}

/** The address in Envoy's `socket_address` form. */
export function toSocketAddress({ host, port }: Address) {
  return { socket_address: { address: host, port_value: port } };
}

/** `HOST:PORT`, or `[IPV6]:PORT`: what parseAddress reads. */
export function formatAddress({ host, port }: Address): string {
  return isIP(host) === 6 ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;
}

/** Service discovery for a cluster. `ALL`: by default Envoy resolves to one address family, and `localhost` has two. */
export function toDiscovery(addresses: readonly Address[]) {
  return addresses.every(isIpAddress) ? { type: 'STATIC' } : { type: 'STRICT_DNS', dns_lookup_family: 'ALL' };
}

/** Whether the host is an IP address, not a name. */
export function isIpAddress({ host }: Address): boolean {
  return isIP(host) !== 0;
}

/** Whether it means all addresses of a machine: fine to listen on, not to connect to. */
export function isUnspecified({ host }: Address): boolean {
  return /^(0\.0\.0\.0|[0:]+)$/.test(host);
}
