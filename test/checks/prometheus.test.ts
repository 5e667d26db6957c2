import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { judgeValue, queryPrometheus } from '../../src/checks/prometheus.ts';
import type { PrometheusCheck } from '../../src/rollout/plan.ts';
import { until } from '../helpers/until.ts';

const defaults = { name: 'p99', query: 'up', max: 1, min: null, everyMs: 1000, timeoutMs: 10_000 };
const subject = { version: 'abc', nodes: ['edge-1'] };

/** A server that answers all requests so, and keeps them. */
async function startServer(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: { url: string; body: URLSearchParams }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = new URLSearchParams(Buffer.concat(chunks).toString());
      seen.push({ url: `${request.method} ${request.url}`, body });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const check: PrometheusCheck = { ...defaults, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  const ask = (change: Partial<PrometheusCheck> = {}, signal = new AbortController().signal) =>
    queryPrometheus({ ...check, ...change }, subject, signal);
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { seen, check, ask, stop, [Symbol.asyncDispose]: stop };
}

/** What comes of such an answer. */
async function resultOf(status: number, body: string | object, headers: Record<string, string> = {}): Promise<unknown> {
  await using server = await startServer((_, response) =>
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body)),
  );
  const result = await server.ask();
  return 'value' in result ? result.value : result.error;
}

const success = (resultType: string, result: unknown) => ({ status: 'success', data: { resultType, result } });
const samples = (...values: unknown[]) => values.map((value) => ({ metric: {}, value: [1, value] }));

test('one finite number is the value', async () => {
  assert.equal(await resultOf(200, success('scalar', [1, '0.25'])), 0.25);
  assert.equal(await resultOf(200, success('vector', samples('-1.5e-07'))), -1.5e-7);
  assert.equal(await resultOf(200, { ...success('vector', samples('3')), warnings: ['x'] }), 3);
});

test('anything else is an error that says what to do', async () => {
  const cases: [Parameters<typeof resultOf>, string][] = [
    [[200, success('vector', [])], 'the query gives nothing: no series matches'],
    [
      [200, success('vector', samples('1', '2'))],
      'the query gives 2 numbers, not one: put sum(...) or max(...) around it',
    ],
    [[200, success('vector', samples('NaN'))], 'the query gives NaN: is it a share of no requests?'],
    [[200, success('scalar', [1, '+Inf'])], 'the query gives +Inf, not a finite number'],
    [[200, success('scalar', [1, ''])], 'the query gives , not a finite number'],
    [[200, success('scalar', [1, '0x10'])], 'the query gives 0x10, not a finite number'],
    [[200, success('scalar', [1, '1e999'])], 'the query gives 1e999, not a finite number'],
    [[200, success('scalar', 5)], 'the query gives an integer, not one number'],
    [[200, success('vector', [{ metric: {}, histogram: [1, {}] }])], 'the query gives nothing, not one number'],
    [[200, success('vector', [7])], 'the query gives nothing, not one number'],
    [[200, success('matrix', [])], 'the query gives a matrix, not one number'],
    [[200, success('string', [1, 'x'])], 'the query gives a string, not one number'],
    [[200, { status: 'success' }], 'it answered success without data'],
    [
      [400, { status: 'error', errorType: 'bad_data', error: '1:5: parse\nerror' }],
      'it answered 400: bad_data: 1:5: parse error',
    ],
    [
      [503, { status: 'error', errorType: 'timeout', error: 'query timed out' }],
      'it answered 503: timeout: query timed out',
    ],
    [[401, 'Unauthorized\n'], 'it answered 401 and not as Prometheus does: Unauthorized'],
    [[404, ''], 'it answered 404 and not as Prometheus does'],
    [[200, '<html>\u001b[31m'], 'it answered 200 and not as Prometheus does: <html>\\u{1b}[31m'],
    [[200, '[]'], 'it answered 200 and not as Prometheus does: []'],
  ];
  for (const [answer, words] of cases) assert.equal(await resultOf(...answer), words);
});

test('what it says of itself is cut', async () => {
  const words = await resultOf(422, { status: 'error', errorType: 'execution', error: 'x'.repeat(10_000) });
  assert.ok(typeof words === 'string' && words.length < 340 && words.endsWith('x…'), String(words));
});

test('no redirect is followed', async () => {
  await using other = await startServer((_, response) => response.end(JSON.stringify(success('scalar', [1, '1']))));
  const words = await resultOf(302, '', { location: other.check.url });
  assert.equal(words, 'it answered 302, which leads elsewhere and is not followed: set the url that it leads to');
  assert.deepEqual(other.seen, []);
});

test('no more than 64 KiB of an answer are read, were it endless', async () => {
  let isClosed = false;
  await using server = await startServer((_, response) => {
    response.on('close', () => (isClosed = true));
    const go = () => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
      response.once('drain', go);
    };
    go();
  });
  assert.deepEqual(await server.ask(), {
    error: 'its answer has more than 64 KiB: the query must give one number, as sum(...) does',
  });
  await until('the connection is given up', () => isClosed);
});

test('a slow one is cut at the time limit, also in the middle of its answer', async () => {
  await using silent = await startServer(() => undefined);
  assert.deepEqual(await silent.ask({ timeoutMs: 50 }), { error: 'no answer within 0.05 s' });
  await using half = await startServer((_, response) => response.write('{"status":'));
  assert.deepEqual(await half.ask({ timeoutMs: 50 }), { error: 'no answer within 0.05 s' });
});

test('it stops when its signal aborts', async () => {
  await using silent = await startServer(() => undefined);
  const end = new AbortController();
  const asked = silent.ask({}, end.signal);
  await until('it asks', () => silent.seen.length > 0);
  end.abort();
  assert.ok('error' in (await asked));
});

test('a server that is not there, or no URL, is an error with words', async () => {
  const server = await startServer(() => undefined);
  await server.stop();
  const result = await server.ask();
  assert.match('error' in result ? result.error : '', /ECONNREFUSED/);
  assert.deepEqual(await server.ask({ url: 'nonsense' }), { error: 'Invalid URL' });
});

test('the query goes as a form to the URL, under its path, with the time limit', async () => {
  await using server = await startServer((_, response) => response.end(JSON.stringify(success('scalar', [1, '1']))));
  for (const path of ['', '/', '/prometheus', '/prometheus/'])
    assert.deepEqual(
      await server.ask({ url: `${server.check.url}${path}`, query: 'x{v="{{version}}",n=~"{{nodes}}"}' }),
      { value: 1 },
    );
  assert.deepEqual(
    server.seen.map(({ url }) => url),
    ['', '', '/prometheus', '/prometheus'].map((path) => `POST ${path}/api/v1/query`),
  );
  assert.deepEqual(Object.fromEntries(server.seen[0]!.body), {
    query: 'x{v="abc",n=~"(?:edge-1)"}',
    timeout: '10000ms',
  });
});

test('a value is judged by max and min', () => {
  const verdict = (value: number, min: number | null, max: number | null) => {
    const judgement = judgeValue({ min, max }, value);
    return `${judgement.verdict}: ${judgement.message}`;
  };
  assert.equal(verdict(0.5, null, 0.5), 'pass: 0.5 (max 0.5)');
  assert.equal(verdict(0.51, null, 0.5), 'fail: 0.51, above the max of 0.5');
  assert.equal(verdict(-1, 0, 0.5), 'fail: -1, below the min of 0');
  assert.equal(verdict(0, 0, 0.5), 'pass: 0 (min 0, max 0.5)');
  assert.equal(verdict(99.5, 99, null), 'pass: 99.5 (min 99)');
});
