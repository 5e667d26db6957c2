import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { ProviderName } from '../../src/feedback/providers.ts';

export interface Call {
  readonly at: number;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, string>;
}

/** Answers a call before the host looks at it; true: it has. */
export type Trouble = (call: Call, response: ServerResponse) => boolean;

/** A git host that keeps commit statuses as its documentation says. */
export interface Host {
  readonly url: string;
  readonly calls: Call[];
  /** The statuses it has taken, by commit: `state description`. */
  readonly statuses: Map<string, string[]>;
  /** What goes wrong with the next calls, one each. */
  readonly troubles: Trouble[];
  readonly tokenFile: string;
}

const repositories = {
  github: '/repos/acme/config',
  gitlab: '/api/v4/projects/acme%2Fconfig',
  gitea: '/api/v1/repos/acme/config',
};

const states = {
  github: ['error', 'failure', 'pending', 'success'],
  gitlab: ['pending', 'running', 'success', 'failed', 'canceled'],
  gitea: ['pending', 'success', 'error', 'failure'],
};

export const token = 's3cret-token';

export async function startHost(t: TestContext, provider: ProviderName): Promise<Host> {
  const host: Omit<Host, 'url' | 'tokenFile'> = { calls: [], statuses: new Map(), troubles: [] };
  const server = createServer((request, response) => void serve(provider, host, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { ...host, url: `http://127.0.0.1:${port}${repositories[provider]}`, tokenFile: tokenFile(t) };
}

function tokenFile(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'shardplane-feedback-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = path.join(directory, 'token');
  writeFileSync(file, `${token}\n`);
  return file;
}

async function serve(
  provider: ProviderName,
  host: Omit<Host, 'url' | 'tokenFile'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, string>;
  const call: Call = { at: Date.now(), path: request.url ?? '', headers: request.headers, body };
  host.calls.push(call);
  if (host.troubles.shift()?.(call, response)) return;
  const refusal = refuse(provider, host, request.method ?? '', call);
  if (refusal)
    return void response
      .writeHead(refusal.status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ message: refusal.message }));
  const version = call.path.slice(call.path.lastIndexOf('/') + 1);
  host.statuses.set(version, [...(host.statuses.get(version) ?? []), `${body.state} ${body.description}`]);
  response.writeHead(201, { 'content-type': 'application/json' }).end('{}');
}

/** What the documented API refuses. */
function refuse(
  provider: ProviderName,
  { statuses }: Pick<Host, 'statuses'>,
  method: string,
  { path: where, headers, body }: Call,
) {
  const prefix = `${repositories[provider]}/statuses/`;
  const version = where.slice(prefix.length);
  if (method !== 'POST' || !where.startsWith(prefix) || !/^[0-9a-f]{40}$/.test(version))
    return { status: 404, message: 'Not Found' };
  const given = provider === 'gitlab' ? headers['private-token'] : headers.authorization;
  const expected = { github: `Bearer ${token}`, gitlab: token, gitea: `token ${token}` }[provider];
  if (given !== expected) return { status: 401, message: 'Bad credentials' };
  if (!states[provider].includes(body.state ?? ''))
    return { status: 400, message: 'state does not have a valid value' };
  const limit = provider === 'github' ? 140 : 255;
  if (Array.from(body.description ?? '').length > limit)
    return { status: 422, message: `description is too long (maximum is ${limit} characters)` };
  const last = statuses.get(version)?.at(-1);
  if (provider === 'gitlab' && body.state === 'pending' && last?.startsWith('pending '))
    return {
      status: 400,
      message:
        'Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via "enqueue")',
    };
  return null;
}

/** Answers with a status code, headers and a body. */
export function answer(status: number, headers: Record<string, string> = {}, body = ''): Trouble {
  return (_call, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
}

export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'waited 30 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
