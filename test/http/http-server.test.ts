import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Api, CommandResult } from '../../src/http/api.ts';
import { startHttp } from '../../src/http/http-server.ts';
import type { HttpServer } from '../../src/http/http-server.ts';
import { until } from '../helpers/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'http-'));
const secretFile = join(folder, 'secret');
const controlSocket = join(folder, 'control.sock');
const pushes: (string | null)[] = [];
const commands: string[] = [];
let ready = false;
let head: string | null = null;
let http: HttpServer;

const done: CommandResult = { ok: true, message: 'done' };
const daemon = {
  version: '0.0.0',
  pid: 1,
  since: '2026-01-01T00:00:00.000Z',
  repository: '/srv/config',
  ref: 'main',
  file: 'shard-config.yaml',
  stateDirectory: '/var/lib/shardplane',
  xdsPort: 1,
  httpPort: 2,
};
const api: Api = {
  daemon: () => daemon,
  status: () =>
    Promise.resolve({
      daemon,
      live: null,
      head: head === null ? null : { version: head, subject: '', outcome: null, diagnostics: [] },
      nodes: [],
      problems: [],
      muted: [],
      gone: [],
      backlog: 0,
      working: null,
      rollout: null,
      freeze: null,
      counts: { connected: 0, acked: 0, pending: 0, refusing: 0, unanswered: 0 },
    }),
  readiness: () => ({ ready, reasons: ready ? [] : ['no release yet'] }),
  metrics: () => Promise.resolve('up 1\n'),
  explain: (customer) => (customer === 'known' ? { customer } : null),
  history: (query) => Promise.resolve({ limit: query.get('limit') }),
  lives: (query) => Promise.resolve({ until: query.get('until') }),
  story: (version) =>
    version === 'deadbeef'
      ? Promise.reject(new Error('broken inside'))
      : Promise.resolve(version === 'cafe0123' ? { version } : null),
  retry: (version, by) => {
    commands.push(`retry ${version} ${by}`);
    return version === 'ffff' ? { ok: false, message: 'no such commit' } : done;
  },
  accept: () => done,
  mute: (node, by) => {
    commands.push(`mute ${node} ${by}`);
    return done;
  },
  unmute: () => done,
  operate: (order) => {
    commands.push(JSON.stringify(order));
    return order.verb === 'resume' ? { ok: false, message: 'it is not paused' } : done;
  },
  sync: () => Promise.resolve(done),
  pushed: (ref) => void pushes.push(ref),
};

before(async () => {
  writeFileSync(secretFile, 'top secret\n');
  const secrets = { github: secretFile, gitlab: secretFile, gitea: secretFile, generic: null };
  http = await startHttp({
    api,
    address: '127.0.0.1',
    port: 0,
    hosts: ['Plane.Example'],
    secrets,
    controlSocket,
    warn: () => undefined,
  });
});
after(async () => {
  await http.close();
  rmSync(folder, { recursive: true });
});

interface Reply {
  readonly status: number;
  readonly text: string;
}

function call(
  path: string,
  options: { method?: string; body?: string | Buffer; headers?: Record<string, string>; control?: boolean } = {},
): Promise<Reply> {
  const where = options.control ? { socketPath: controlSocket } : { host: '127.0.0.1', port: http.port };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { ...where, path, method: options.method ?? 'GET', headers: options.headers ?? {} },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

const hmac = (body: string, secret = 'top secret'): string => createHmac('sha256', secret).update(body).digest('hex');

test('health, readiness and metrics', async () => {
  assert.deepEqual(await call('/healthz'), { status: 200, text: 'ok\n' });
  assert.equal((await call('/readyz')).status, 503);
  assert.match((await call('/readyz')).text, /no release yet/);
  ready = true;
  assert.equal((await call('/readyz')).status, 200);
  assert.equal((await call('/metrics')).text, 'up 1\n');
});

test('reads are open, and say what they miss', async () => {
  assert.match((await call('/api/v1/status')).text, /"live":null/);
  assert.deepEqual(JSON.parse((await call('/api/v1/daemon')).text), daemon);
  assert.equal((await call('/api/v1/explain?customer=known')).status, 200);
  assert.equal((await call('/api/v1/explain')).status, 400);
  assert.equal((await call('/api/v1/explain?customer=other')).status, 404);
  assert.equal((await call('/api/v1/history/abcd')).status, 404);
  assert.match((await call('/api/v1/history/HEAD')).text, /there is no revision yet/);
  head = 'cafe0123';
  assert.deepEqual(JSON.parse((await call('/api/v1/history/HEAD')).text), { version: head });
  assert.equal((await call('/nothing')).status, 404);
  assert.equal((await call('/healthz', { method: 'DELETE' })).status, 405);
});

test('a path that is none is the caller’s fault', async () => {
  assert.equal((await call('/api/v1/history/%zz')).status, 400);
  assert.equal((await call('//')).status, 404);
  assert.equal((await call('//[')).status, 404);
});

test('a path with dots in it never becomes another one', async () => {
  for (const dots of ['..', '%2e%2e', '.%2E', '.', '%2e'])
    assert.equal((await call(`/webhooks/${dots}/api/v1/status`)).status, 400, dots);
  assert.equal((await call('/webhooks\\..\\api/v1/status')).status, 400);
  assert.equal((await call('/api/v1/status#fragment')).status, 400);
  assert.equal((await call('/api/v1/status?path=/../x')).status, 200);
});

test('a name that a stranger has pointed here is not answered', async () => {
  const asked = async (host: string) => (await call('/api/v1/status', { headers: { host } })).status;
  for (const host of ['evil.example', 'localhost.evil.example:18080', '127.0.0.1.evil.example', '[::1].evil.example'])
    assert.equal(await asked(host), 421, host);
  for (const host of ['localhost', 'LOCALHOST.:18080', '127.0.0.1:1', '10.0.0.8', '[::1]:18080', 'plane.example:443'])
    assert.equal(await asked(host), 200, host);
  assert.match((await call('/healthz', { headers: { host: 'evil.example' } })).text, /set http\.hosts/);
  assert.equal((await call('/api/v1/status', { control: true, headers: { host: 'evil.example' } })).status, 200);
});

/** What comes back on a plain connection that sends this much and no more, until the other side ends it. */
async function exchange(text: string): Promise<string> {
  const socket = connect(http.port, '127.0.0.1');
  let answer = '';
  let ended = false;
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
  socket.on('error', () => undefined).once('close', () => (ended = true));
  socket.write(text);
  await until('the connection ends', () => ended, 9_000).finally(() => socket.destroy());
  return answer;
}

test('who does not end its headers is soon sent away', async () => {
  assert.match(await exchange('GET /healthz HTTP/1.1\r\nhost: localhost\r\n'), /^HTTP\/1\.1 408 /);
});

test('a webhook that cannot be proven is refused by its headers, without its body', async () => {
  const ask = (headers: string) =>
    exchange(
      `POST /webhooks/${headers.startsWith('x-gitlab') ? 'gitlab' : 'github'} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n\r\n`,
    );
  const length = 'content-length: 1048576';
  assert.match(await ask(length), /^HTTP\/1\.1 401 .*x-hub-signature-256 header is missing/s);
  assert.match(await ask(`x-hub-signature-256: sha256=abc\r\n${length}`), /^HTTP\/1\.1 401 /);
  assert.match(await ask(`x-gitlab-token: wrong\r\n${length}`), /^HTTP\/1\.1 401 /);
  const signature = `x-hub-signature-256: sha256=${hmac('')}`;
  assert.match(await ask(`${signature}\r\ntransfer-encoding: chunked`), /^HTTP\/1\.1 411 /);
  assert.match(await ask(`${signature}\r\ncontent-length: 1048577`), /^HTTP\/1\.1 413 /);
});

test('the bodies of webhooks have a bound together', async () => {
  const signature = `x-hub-signature-256: sha256=${hmac('')}`;
  const head = `POST /webhooks/github HTTP/1.1\r\nhost: localhost\r\n${signature}\r\ncontent-length: 1048576\r\n\r\n`;
  const sockets = Array.from({ length: 12 }, () => connect(http.port, '127.0.0.1').on('error', () => undefined));
  let answers = '';
  for (const socket of sockets) {
    socket.on('data', (chunk: Buffer) => (answers += chunk.toString()));
    socket.write(head + 'x'.repeat(1_000_000)); // and never the rest
  }
  await until('some are asked to come again', () => /^HTTP\/1\.1 503 .*try again/s.test(answers));
  for (const socket of sockets) socket.destroy();
  const body = '{}';
  await until('the others are served again', async () => {
    const headers = { 'x-hub-signature-256': `sha256=${hmac(body)}` };
    return (await call('/webhooks/github', { method: 'POST', body, headers })).status === 202;
  });
});

test('a fault inside is a 500 without its words', async () => {
  const { status, text } = await call('/api/v1/history/deadbeef');
  assert.equal(status, 500);
  assert.doesNotMatch(text, /broken inside/);
});

test('a node is muted by its id, over the control socket alone', async () => {
  const mute = (node: unknown, control = true) =>
    call('/api/v1/mute', { method: 'POST', body: JSON.stringify({ node, by: 'me' }), control });
  assert.equal((await mute('edge 1/ä')).status, 200);
  assert.equal(commands.pop(), 'mute edge 1/ä me');
  assert.equal((await mute('edge-1', false)).status, 404);
  for (const node of ['', 'x'.repeat(257), 'a\nb', 7, null]) assert.equal((await mute(node)).status, 400);
});

test('commands come over the control socket alone, which is its owner’s', async () => {
  const body = JSON.stringify({ version: 'abcd', by: 'ada' });
  assert.equal((await call('/api/v1/retry', { method: 'POST', body })).status, 404);
  assert.deepEqual(commands, []);
  assert.equal(statSync(controlSocket).mode & 0o777, 0o600);
  assert.equal((await call('/api/v1/retry', { method: 'POST', body, control: true })).status, 200);
  assert.deepEqual(commands, ['retry abcd ada']);
  assert.equal(
    (await call('/api/v1/retry', { method: 'POST', body: '{"version":"ffff"}', control: true })).status,
    409,
  );
  assert.equal(
    (await call('/api/v1/retry', { method: 'POST', body: '{"version":"--all"}', control: true })).status,
    400,
  );
  assert.equal((await call('/api/v1/retry', { method: 'POST', body: 'nonsense', control: true })).status, 400);
  assert.equal((await call('/api/v1/retry', { method: 'POST', body: 'x'.repeat(5000), control: true })).status, 413);
});

test('orders about rollouts: cleaned, checked, and over the control socket alone', async () => {
  const order = (verb: string, body: object, control = true) =>
    call(`/api/v1/${verb}`, { method: 'POST', body: JSON.stringify({ by: 'ada\n', ...body }), control });
  for (const verb of ['pause', 'resume', 'promote', 'abort', 'freeze', 'unfreeze'])
    assert.equal((await order(verb, {}, false)).status, 404, verb);
  const given = async (verb: string, body: object): Promise<unknown> => {
    assert.equal((await order(verb, body)).status, verb === 'resume' ? 409 : 200);
    return JSON.parse(commands.pop()!);
  };
  const by = 'ada';
  assert.deepEqual(await given('pause', {}), { by, why: '', verb: 'pause' });
  assert.deepEqual(await given('resume', { why: ' a\u001b[2J\u202e\nb ' }), { by, why: 'a [2J b', verb: 'resume' });
  assert.deepEqual(await given('promote', {}), { by, why: '', verb: 'promote', all: false });
  assert.deepEqual(await given('promote', { all: true }), { by, why: '', verb: 'promote', all: true });
  assert.deepEqual(await given('freeze', {}), { by, why: '', verb: 'freeze', until: null });
  const until = new Date(Date.now() + 3_600_000).toISOString();
  assert.deepEqual(await given('freeze', { until }), { by, why: '', verb: 'freeze', until: Date.parse(until) });
  const { why } = (await given('abort', { why: '\u{1f600}'.repeat(300) })) as { why: string };
  assert.deepEqual([why.length, why.isWellFormed()], [500, true]);
  for (const body of [{ until: 7 }, { until: 'soon' }, { until: '2007-01-01T00:00:00Z' }, { why: 7 }])
    assert.equal((await order('freeze', body)).status, 400, JSON.stringify(body));
  assert.equal((await order('promote', { all: 'yes' })).status, 400);
});

test('a webhook must prove its sender before its body is read', async () => {
  pushes.length = 0;
  const body = '{"ref":"refs/heads/main"}';
  const post = (sender: string, headers: Record<string, string>) =>
    call(`/webhooks/${sender}`, { method: 'POST', body, headers });
  assert.equal((await post('github', { 'x-hub-signature-256': `sha256=${hmac(body)}` })).status, 202);
  assert.equal((await post('gitea', { 'x-gitea-signature': hmac(body) })).status, 202);
  assert.equal((await post('gitlab', { 'x-gitlab-token': 'top secret' })).status, 202);
  assert.deepEqual(pushes, ['refs/heads/main', 'refs/heads/main', 'refs/heads/main']);
  assert.equal((await post('github', { 'x-hub-signature-256': `sha256=${hmac(body, 'other')}` })).status, 401);
  assert.equal((await post('github', { 'x-hub-signature-256': 'sha256=' })).status, 401);
  assert.equal((await post('github', {})).status, 401);
  assert.equal((await post('gitlab', { 'x-gitlab-token': 'top secre' })).status, 401);
  assert.equal((await post('generic', { 'x-shardplane-signature': `sha256=${hmac(body)}` })).status, 404);
  assert.equal((await post('constructor', {})).status, 404);
  assert.equal(pushes.length, 3);
});

test('a webhook’s body may be no larger than 1 MiB, and need not be JSON', async () => {
  const large = 'x'.repeat(1024 * 1024 + 1);
  const headers = { 'x-hub-signature-256': `sha256=${hmac(large)}` };
  assert.equal(
    (await call('/webhooks/github', { method: 'POST', body: large, headers }).catch(() => ({ status: 413 }))).status,
    413,
  );
  const odd = '\u0000{';
  assert.equal(
    (
      await call('/webhooks/github', {
        method: 'POST',
        body: odd,
        headers: { 'x-hub-signature-256': `sha256=${hmac(odd)}` },
      })
    ).status,
    202,
  );
  assert.equal(pushes.at(-1), null);
});

test('a rotated secret counts at once; an unreadable one lets nobody in', async () => {
  const body = '{}';
  writeFileSync(secretFile, 'new secret');
  const signed = (secret: string) =>
    call('/webhooks/github', {
      method: 'POST',
      body,
      headers: { 'x-hub-signature-256': `sha256=${hmac(body, secret)}` },
    });
  assert.equal((await signed('top secret')).status, 401);
  assert.equal((await signed('new secret')).status, 202);
  writeFileSync(secretFile, '');
  assert.equal((await signed('')).status, 503);
});

test('a port in use is said in words', async () => {
  const secrets = { github: null, gitlab: null, gitea: null, generic: null };
  await assert.rejects(
    startHttp({
      api,
      address: '127.0.0.1',
      port: http.port,
      hosts: [],
      secrets,
      controlSocket: join(folder, 'x.sock'),
      warn: () => undefined,
    }),
    /the HTTP address 127\.0\.0\.1:\d+ is in use/,
  );
});

test('a control socket whose path is too long is said, and the rest works', async () => {
  const warnings: string[] = [];
  const secrets = { github: null, gitlab: null, gitea: null, generic: null };
  const other = await startHttp({
    api,
    address: '127.0.0.1',
    port: 0,
    hosts: [],
    secrets,
    controlSocket: join(folder, 'x'.repeat(120)),
    warn: (words) => warnings.push(words),
  });
  assert.match(warnings[0] ?? '', /longer than 107 bytes/);
  await other.close();
});
