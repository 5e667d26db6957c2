/** Why a text is not a host's address, as a predicate: `"x" has no port`. */
export interface AddressFault {
  readonly message: string;
  readonly hint: string;
}

const example = 'write an IP address and a port: 10.0.0.1:8080 or [2001:db8::1]:8080';
const unspecified = { message: 'is not an address to connect to', hint: example };

/**
 * What is wrong with `ip:port`, or null. Envoy compares an override host as a string with its own spelling of the address
 * (`/clusters` of 1.40 shows it): a host with another spelling of its IPv6 address would get no traffic, and is refused.
 */
export function addressFault(text: string): AddressFault | null {
  const match = /^(.*?)(?::([^:\]]*))?$/s.exec(text);
  const host = match?.[1] ?? '';
  const port = match?.[2];
  if (host.startsWith('[')) return portFault(port) ?? ipv6Fault(host);
  if (/^[0-9a-fA-F.]*:[0-9a-fA-F:.]*$/.test(host))
    return { message: 'is an IPv6 address without brackets', hint: example };
  if (/^[0-9.]+$/.test(host)) return portFault(port) ?? ipv4Fault(host);
  if (host === '') return { message: 'has no address', hint: example };
  return {
    message: 'is not an IP address',
    hint: `Envoy picks a host by its address, so names are not resolved: ${example}`,
  };
}

function portFault(port: string | undefined): AddressFault | null {
  if (port === undefined || port === '') return { message: 'has no port', hint: example };
  const valid = /^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65_535;
  return valid ? null : { message: 'has a port that is not 1 to 65535', hint: example };
}

function ipv4Fault(host: string): AddressFault | null {
  const octets = host.split('.');
  const valid =
    octets.length === 4 && octets.every((octet) => /^(0|[1-9][0-9]{0,2})$/.test(octet) && Number(octet) < 256);
  if (!valid) return { message: 'is not an IPv4 address', hint: 'four numbers from 0 to 255, without leading zeros' };
  return host === '0.0.0.0' ? unspecified : null;
}

function ipv6Fault(host: string): AddressFault | null {
  const canonical = canonicalIpv6(host);
  if (canonical === null) return { message: 'is not an IPv6 address', hint: example };
  if (canonical === '[::]') return unspecified;
  // Envoy writes these with dots, unlike the URL parser
  if (/^\[::(ffff:)?[0-9a-f]+:[0-9a-f]+\]$/.test(canonical)) {
    return { message: 'is an IPv4 address written as IPv6', hint: 'write it as IPv4' };
  }
  return canonical === host ? null : { message: 'is not how Envoy writes this address', hint: `write ${canonical}` };
}

/** The canonical spelling of RFC 5952, by the URL parser (https://url.spec.whatwg.org/#concept-ipv6-serializer). */
function canonicalIpv6(host: string): string | null {
  return /^\[[0-9A-Fa-f:.]+\]$/.test(host) && URL.canParse(`http://${host}`)
    ? new URL(`http://${host}`).hostname
    : null;
}
