import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Api, WebhookSender } from './api.ts';
import { boundConnections } from './connections.ts';
import { HttpError } from './http-error.ts';
import { isServedHost } from './host.ts';
import { route } from './routes.ts';

/** The longest path of a Unix socket on Linux, in bytes (sun_path without its NUL: unix(7)). */
const maxSocketPathBytes = 107;

/** How long a connection may be idle; a command may wait for a fetch. */
const idleMs = { open: 30_000, control: 180_000 };

/** A client that takes longer to read its response is disconnected. */
const answerMs = 60_000;

/** By default Node checks these limits only every 30 s. */
const times = { requestTimeout: 10_000, headersTimeout: 5_000, connectionsCheckingInterval: 500 };

export interface HttpServer {
  /** The port that it listens on. */
  readonly port: number;
  close(): Promise<void>;
}

export interface HttpOptions {
  readonly api: Api;
  readonly address: string;
  readonly port: number;
  /** Host names to accept, besides those of loopback. */
  readonly hosts: readonly string[];
  /** Files that hold the webhooks' secrets. */
  readonly secrets: Readonly<Record<WebhookSender, string | null>>;
  /** The Unix socket for operators' commands, which only the daemon's user may open. */
  readonly controlSocket: string;
  /** Called with what is wrong but not fatal, e.g. no control socket. */
  readonly warn: (message: string) => void;
}

/** Listens on the HTTP port and the control socket. Throws an error for the operator when it can't listen on the port. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const open = createListener(options, false);
  await listen(open, { port: options.port, host: options.address }).catch((error: unknown) => {
    throw portError(error, `${options.address}:${options.port}`);
  });
  const control = await startControl(options);
  const close = async (): Promise<void> => {
    await Promise.all([stop(open), control && stop(control)]);
    if (control) rmSync(options.controlSocket, { force: true });
  };
  return { port: (open.address() as AddressInfo).port, close };
}

async function startControl(options: HttpOptions): Promise<Server | null> {
  const path = options.controlSocket;
  if (Buffer.byteLength(path) > maxSocketPathBytes) {
    options.warn(
      `no control socket: ${path} is longer than ${maxSocketPathBytes} bytes; retry, accept and sync need a shorter state directory`,
    );
    return null;
  }
  const control = createListener(options, true);
  try {
    rmSync(path, { force: true }); // a stale one: the ledger's lock makes us the only daemon here
    await listen(control, { path });
    chmodSync(path, 0o600);
    return control;
  } catch (error) {
    options.warn(`no control socket at ${path}: ${(error as Error).message}; retry, accept and sync do not work`);
    return null;
  }
}

function createListener(options: HttpOptions, control: boolean): Server {
  const server = createServer(times, (request, response) => {
    if (!control) endLate(response);
    void answer(options, control, request, response);
  });
  server.setTimeout(control ? idleMs.control : idleMs.open);
  boundConnections(server, options.warn);
  return server;
}

/** A response that isn't read stays in memory. */
function endLate(response: ServerResponse): void {
  const timer = setTimeout(() => response.destroy(), answerMs).unref();
  response.once('close', () => clearTimeout(timer));
}

async function answer(
  options: HttpOptions,
  control: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (!control) checkHost(request, [options.address, ...options.hosts]);
    const url = toUrl(request.url ?? '/');
    const { status, body } = await route({ api: options.api, request, url, secrets: options.secrets }, control);
    send(response, status, body);
  } catch (error) {
    if (!(error instanceof HttpError)) options.warn(`http: ${request.method} failed: ${(error as Error).message}`);
    const fault =
      error instanceof HttpError ? error : new HttpError(500, 'internal', 'the daemon failed; its log says why');
    send(response, fault.status, { error: { code: fault.code, message: fault.message } });
  }
}

function checkHost(request: IncomingMessage, names: readonly string[]): void {
  const { host } = request.headers;
  if (isServedHost(host, names)) return;
  throw new HttpError(
    421,
    'host',
    `${host?.slice(0, 100)} is not served here: call it by its address, or set http.hosts`,
  );
}

/** Refuses `..`, plain or percent-encoded: a proxy in front may have let another path through. */
function toUrl(target: string): URL {
  const url = target.startsWith('/') ? URL.parse(`http://localhost${target}`) : null;
  if (url === null || url.pathname !== target.split('?', 1)[0]) throw new HttpError(400, 'path', 'not a valid path');
  return url;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type':
      typeof body === 'string' ? 'text/plain; version=0.0.4; charset=utf-8' : 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // the rest of a refused body is not read
    ...(status >= 400 && { connection: 'close' }),
  });
  response.end(text);
}

function listen(server: Server, where: { port: number; host: string } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function portError(error: unknown, address: string): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new Error(`the HTTP address ${address} is in use: another shardplane, or set http.port`);
  return new Error(`cannot listen on the HTTP address ${address}: ${message}`);
}
