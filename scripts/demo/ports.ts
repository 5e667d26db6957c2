import { createServer } from 'node:net';
import { DemoError } from './error.ts';

/** The number of backends at the end. */
export const allBackends = 12;

/** Where everything listens, on 127.0.0.1. */
export interface Ports {
  readonly xds: number;
  readonly http: number;
  /** Of each Envoy. */
  readonly envoys: readonly number[];
  /** Of backend 1, 2, ... */
  readonly backends: readonly number[];
}

/** The default ports, each `offset` higher. */
export function toPorts(offset: number, envoys = 1): Ports {
  return {
    xds: 18000 + offset,
    http: 18080 + offset,
    envoys: count(10000 + offset, envoys),
    backends: count(8001 + offset, allBackends),
  };
}

function count(first: number, length: number): number[] {
  return Array.from({ length }, (_, index) => first + index);
}

/** Throws DemoError for the first port that is in use. */
export async function ensureFree({ xds, http, envoys, backends }: Ports): Promise<void> {
  await ensureOne(xds, 'the daemon’s xDS');
  await ensureOne(http, 'the daemon’s status');
  for (const port of envoys) await ensureOne(port, 'Envoy');
  for (const [slot, port] of backends.entries()) await ensureOne(port, `backend ${slot + 1}`);
}

async function ensureOne(port: number, what: string): Promise<void> {
  const reason = await tryListen(port);
  if (reason === null) return;
  const words = reason === 'EADDRINUSE' ? 'is in use' : `can’t be used (${reason})`;
  throw new DemoError(
    `port ${port} ${words}: ${what} needs it on 127.0.0.1`,
    `see who has it: ss -ltnp 'sport = :${port}'; end that, or move the whole demo: --port-offset 100`,
  );
}

/** Null when the port is free, else the error's code. */
function tryListen(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(null)));
  });
}
