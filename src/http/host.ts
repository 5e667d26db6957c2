import { isIP } from 'node:net';

/**
 * Whether a Host header names this server: protects from DNS rebinding, where a web page's own name resolves to this
 * machine. A request without the header (HTTP/1.0) is not from a browser, and an IP address can't be rebound.
 */
export function isServedHost(header: string | undefined, names: readonly string[]): boolean {
  if (header === undefined) return true;
  const name = nameOf(header);
  return isIP(name) !== 0 || name === 'localhost' || names.some((served) => nameOf(served) === name);
}

/** Without port, IPv6 brackets and trailing dot. */
function nameOf(host: string): string {
  const [, address, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::[0-9]*)?$/.exec(host) ?? [];
  return address ?? name.toLowerCase().replace(/\.$/, '');
}
