import { isIP } from 'node:net';

/**
 * Whether a request with this Host header is meant for us. A web page whose name was made to point here (DNS rebinding) has
 * that name in it. Who sends none (HTTP/1.0) is no browser; an address is nothing that a page's name can be pointed at.
 */
export function isServedHost(header: string | undefined, names: readonly string[]): boolean {
  if (header === undefined) return true;
  const name = nameOf(header);
  return isIP(name) !== 0 || name === 'localhost' || names.some((served) => nameOf(served) === name);
}

/** Without the port, the brackets of an IPv6 address and the root's dot. */
function nameOf(host: string): string {
  const [, address, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::[0-9]*)?$/.exec(host) ?? [];
  return address ?? name.toLowerCase().replace(/\.$/, '');
}
