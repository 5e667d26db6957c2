import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as received by a backend. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Bytes of the body so far; all of them once it was answered. */
  bodyBytes: number;
}

/** A backend of a test: answers (200, unless told) with its own `ip:port`, and records requests. */
export interface Backend extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  readonly port: number;
  readonly seen: SeenRequest[];
  /** Headers to put on each answer, for tests of what a proxy does with them. */
  answerHeaders: Record<string, string>;
  answerStatus: number;
  /** Closes the port and every connection. */
  stop(): Promise<void>;
}

/** Starts a backend on 127.0.0.1, on a free port unless one is given. */
export async function startBackend(port = 0): Promise<Backend> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    const noted = { method, path, headers, bodyBytes: 0 };
    seen.push(noted);
    request.on('data', (chunk: Buffer) => (noted.bodyBytes += chunk.length));
    request.on('end', () => {
      response
        .writeHead(backend.answerStatus, { 'content-type': 'text/plain', ...backend.answerHeaders })
        .end(backend.address);
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const actual = (server.address() as AddressInfo).port;
  const backend: Backend = {
    address: `127.0.0.1:${String(actual)}`,
    port: actual,
    seen,
    answerHeaders: {},
    answerStatus: 200,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return backend;
}

/** Starts several; disposing of the list stops them all. */
export async function startBackends(count: number): Promise<Backend[] & AsyncDisposable> {
  const backends = await Promise.all(Array.from({ length: count }, () => startBackend()));
  const stop = async () => {
    await Promise.all(backends.map((backend) => backend.stop()));
  };
  return Object.assign(backends, { [Symbol.asyncDispose]: stop });
}
