import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/** How many connections may be open: in all, and from one address. Loopback is one address for all who come through a proxy. */
const most = { all: 200, each: 50 };

/** How often a warning may repeat itself. */
const quietMs = 60_000;

/** As much of a `net.Server` as is needed. */
type Bounded = EventEmitter & { maxConnections: number };

/** Turns away connections that are too many, and says so now and then. */
export function boundConnections(server: Bounded, warn: (message: string) => void): void {
  const open = new Map<string, number>();
  let quietUntil = 0;
  const say = (message: string): void => {
    if (Date.now() < quietUntil) return;
    quietUntil = Date.now() + quietMs;
    warn(message);
  };
  server.maxConnections = most.all;
  server.on('drop', () => say(`http: ${most.all} connections are open, more are turned away`));
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
    say(`http: ${address} has ${most.each} connections open, more are turned away`);
    socket.destroy();
  });
}

/** A Unix socket has no address. */
function isLocal(address: string): boolean {
  return address === '' || /^(::ffff:)?127\.|^::1$/.test(address);
}
