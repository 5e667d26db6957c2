import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/** Open connections: in all, and from one address. Loopback is exempt: a proxy's clients all come from there. */
const most = { all: 200, each: 50 };

/** The least time between two warnings. */
const quietMs = 60_000;

/** The part of `net.Server` that is used. */
type Bounded = EventEmitter & { maxConnections: number };

/** Limits the server's connections, with a warning at most once a minute. */
export function boundConnections(server: Bounded, warn: (message: string) => void): void {
  const open = new Map<string, number>();
  let quietUntil = 0;
  const warnNowAndThen = (message: string): void => {
    if (Date.now() < quietUntil) return;
    quietUntil = Date.now() + quietMs;
    warn(message);
  };
  server.maxConnections = most.all;
  server.on('drop', () => warnNowAndThen(`http: ${most.all} connections are open, more are turned away`));
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (isLocal(address)) return;
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 0) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
    if (count <= most.each) return;
    warnNowAndThen(`http: ${address} has ${most.each} connections open, more are turned away`);
    socket.destroy();
  });
}

/** Loopback, or a Unix socket, which has no address. */
function isLocal(address: string): boolean {
  return address === '' || /^(::ffff:)?127\.|^::1$/.test(address);
}
