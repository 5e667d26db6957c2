import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gitEnv } from './git.ts';

/** A git server over HTTP on loopback: real `git http-backend`, with faults on demand. */
export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` (or https). */
  readonly origin: string;
  readonly port: number;
  /** Requests so far, as `GET /path`. */
  readonly requests: string[];
  /** Replaces the real answer while set. */
  fault: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  /** The `user:password` that is required, or null. */
  login: string | null;
  /** Bytes a second that the server sends; 0: as fast as it can. */
  bytesPerSecond: number;
  /** Called at each request. */
  onRequest: (() => void) | null;
}

/** Serves every repository under `root` at `<origin>/<folder>`. */
export async function serveGit(root: string, tls?: { key: string; cert: string }): Promise<GitServer> {
  const state: Pick<GitServer, 'fault' | 'login' | 'bytesPerSecond' | 'onRequest' | 'requests'> = {
    fault: null,
    login: null,
    bytesPerSecond: 0,
    onRequest: null,
    requests: [],
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    state.requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    state.onRequest?.();
    if (state.fault) return state.fault(request, response);
    const expected = state.login === null ? null : `Basic ${Buffer.from(state.login).toString('base64')}`;
    if (expected !== null && request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    void runBackend(root, request, response, state);
  };
  const server: Server = tls ? createTlsServer(tls, handle) : createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    port,
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => closeServer(server),
  });
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** git-http-backend(1) is a CGI program. */
async function runBackend(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  pace: { bytesPerSecond: number },
): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const env = gitEnv({
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: decodeURIComponent(pathname),
    QUERY_STRING: search.slice(1),
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    REMOTE_USER: 'tester',
    REMOTE_ADDR: '127.0.0.1',
  });
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  response.on('close', () => child.kill());
  let head: string | null = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    let body = chunk;
    if (head !== null) {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) continue;
      body = Buffer.from(head.slice(end + 4), 'latin1');
      writeHead(response, head.slice(0, end));
      head = null;
    }
    for (let at = 0; at < body.length; at += 64 * 1024) {
      const part = body.subarray(at, at + 64 * 1024);
      if (pace.bytesPerSecond > 0) await sleep((part.length / pace.bytesPerSecond) * 1000);
      response.write(part);
    }
  }
  response.end();
}

function writeHead(response: ServerResponse, head: string): void {
  const lines = head.split('\r\n').map((line) => line.split(/:\s*/, 2) as [string, string]);
  const status = lines.find(([name]) => name.toLowerCase() === 'status')?.[1] ?? '200';
  for (const [name, value] of lines) if (name.toLowerCase() !== 'status') response.setHeader(name, value);
  response.statusCode = Number.parseInt(status, 10);
}
