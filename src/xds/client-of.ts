import type { ServerInterceptor } from '@grpc/grpc-js';
import { isIPv6 } from 'node:net';

/** What grpc-js knows of a stream. */
export type GrpcCall = Pick<Parameters<ServerInterceptor>[1], 'getAuthContext' | 'getConnectionInfo'>;

/** The client that opened a stream, as its connection shows it. */
export interface Client {
  /** What its streams are counted by: the address (none on a Unix socket) and the certificate. */
  readonly keys: readonly { readonly kind: 'address' | 'certificate'; readonly key: string }[];
  /** When its certificate expires, milliseconds since the epoch. Infinity: it has none. */
  readonly expiresAt: number;
}

export function clientOf(call: GrpcCall): Client {
  const address = call.getConnectionInfo().remoteAddress;
  const certificate = call.getAuthContext().sslPeerCertificate;
  return {
    keys: [
      ...(address === undefined ? [] : [{ kind: 'address' as const, key: toNetwork(address) }]),
      ...(certificate === undefined ? [] : [{ kind: 'certificate' as const, key: certificate.fingerprint256 }]),
    ],
    expiresAt: certificate === undefined ? Infinity : Date.parse(certificate.valid_to),
  };
}

/** Identifies a stream's client by its certificate, or else by the address in `address:port`. Null: neither is known. */
export function clientOfPeer(peer: string, fingerprint: string | undefined): string | null {
  if (fingerprint !== undefined) return fingerprint;
  const address = /^\[?(.+?)\]?:\d+$/.exec(peer)?.[1];
  return address === undefined ? null : toNetwork(address);
}

/** An IPv4 address, or the /64 of an IPv6 one, since a client usually has the whole /64. */
export function toNetwork(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = (text: string): string[] => text.split(':').filter(Boolean);
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':').toLowerCase()}::/64`;
}
