import { isIP } from 'node:net';
import { addressFault } from '../config/host-address.ts';
import { isUnspecified, parseAddress, type Address } from '../envoy/address.ts';
import { CliError } from './exit.ts';

/** The flag that an address was given with. */
type Flag = '--xds' | '--listen' | '--endpoints';

const examples: Record<Flag, string> = {
  '--xds': '10.0.0.1:18000, or several: 10.0.0.1:18000,10.0.0.2:18000',
  '--listen': '127.0.0.1:10000, or 0.0.0.0:10000 for all of the machine’s addresses',
  '--endpoints': '10.0.0.1:8080,10.0.0.2:8080',
};

/** sockaddr_un.sun_path holds 108 bytes, one of them a NUL (unix(7)). */
const socketPathBytes = 107;

/** The daemons: the first one, then its standbys in order. Throws CliError. */
export function toXds(text: string): [Address, ...Address[]] {
  const [first, ...standbys] = unique('--xds', text.split(','));
  const toDaemon = (part: string): Address => {
    const address = toAddress('--xds', part);
    if (!isUnspecified(address)) return address;
    throw refuse('--xds', part, 'is an address to listen on, not to connect to');
  };
  return [toDaemon(first ?? ''), ...standbys.map(toDaemon)];
}

/** Where Envoy listens. It must be an IP address: Envoy does not start with a name. Throws CliError. */
export function toListen(text: string): Address {
  const address = toAddress('--listen', text);
  if (isIP(address.host) !== 0) return address;
  throw refuse('--listen', text, 'is a name, and Envoy binds only to IP addresses');
}

/** The backends. In hosts mode Envoy picks them by their address, so a name would never be picked. Throws CliError. */
export function toEndpoints(text: string, mode: 'hosts' | 'clusters'): Address[] {
  return unique('--endpoints', text.split(',')).map((part) => {
    const fault = mode === 'hosts' ? addressFault(part) : null;
    if (fault === null) return toAddress('--endpoints', part);
    const named = isIP(parseAddress(part)?.host ?? '1.1.1.1') === 0;
    const or = named ? '; or --mode clusters, where Envoy resolves names' : '';
    throw new CliError(`--endpoints: "${part}" ${fault.message}`, { exitCode: 2, hint: `${fault.hint}${or}` });
  });
}

/** The path of the admin socket. Throws CliError. */
export function toAdmin(text: string): string {
  const hint =
    'as in --admin /run/envoy/admin.sock; ask it with curl --unix-socket /run/envoy/admin.sock http://admin/';
  const no = (why: string): CliError => new CliError(`--admin: "${text}" ${why}`, { exitCode: 2, hint });
  if (text === '' || text.endsWith('/')) throw no('is not the path of a socket');
  if (/^@/.test(text)) throw no('is an abstract socket, which has no file mode to keep others out');
  if (/^[0-9]+$|^[^/]*:[0-9]+$/.test(text))
    throw no('is a TCP address, where anybody who reaches it can stop Envoy: use a Unix socket');
  if (Buffer.byteLength(text) > socketPathBytes)
    throw no(`is longer than the ${socketPathBytes} bytes of a socket’s path`);
  return text;
}

function toAddress(flag: Flag, text: string): Address {
  const address = parseAddress(text);
  if (address === null) throw refuse(flag, text, 'is not HOST:PORT');
  if (address.port === 0) throw refuse(flag, text, 'has port 0, which nothing can connect to');
  if (/^[0-9.]+$/.test(address.host) && isIP(address.host) === 0) throw refuse(flag, text, 'is not an IPv4 address');
  return address;
}

function unique(flag: Flag, parts: readonly string[]): readonly string[] {
  const twice = parts.find((part, at) => parts.indexOf(part) !== at);
  if (twice === undefined) return parts;
  throw refuse(flag, twice, 'is given twice');
}

function refuse(flag: Flag, text: string, why: string): CliError {
  return new CliError(`${flag}: "${text}" ${why}`, { exitCode: 2, hint: `as in ${flag} ${examples[flag]}` });
}
