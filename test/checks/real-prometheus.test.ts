import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { queryPrometheus } from '../../src/checks/prometheus.ts';
import type { QueryResult } from '../../src/checks/read-answer.ts';
import { startLayered, viewFields, type Layered } from '../envoy/layers.ts';
import type { Bootstrap } from '../envoy/support.ts';
import { startBackend } from '../helpers/backend.ts';
import { luaFilters, newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { skipWithoutPrometheus, startPrometheus } from '../helpers/prometheus.ts';
import { until } from '../helpers/until.ts';

/** The two nodes. One's name is all about escaping. */
const good = `edge"2'\\|(.*)^[x]\``;
const bad = 'edge-1.eu';

/** The code blocks of docs/checks.md in that language. */
function readBlocks(language: string): string[] {
  const page = readFileSync(new URL('../../docs/checks.md', import.meta.url), 'utf8');
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);
}

const [byNodes = '', byVersion = '', p99 = ''] = readBlocks('promql');

/** As docs/checks.md has it: a listener that leads to one path of the admin, and the node's id on each metric. */
function exposeStats(bootstrap: Bootstrap, node: string): void {
  const [listener = '', ...others] = readBlocks('yaml').filter((block) => block.startsWith('- name: stats\n'));
  assert.deepEqual(others, []);
  const [parsed] = parse(listener) as [object];
  const address = { socket_address: { address: '127.0.0.1', port_value: 0 } };
  (bootstrap.static_resources.listeners as object[]).push({ ...parsed, address });
  bootstrap.stats_config = { stats_tags: [{ tag_name: 'node', fixed_value: node }] };
}

async function startNode(node: string, status: number) {
  await using stack = new AsyncDisposableStack();
  const backend = stack.use(await startBackend());
  backend.answerStatus = status;
  const edit = (bootstrap: Bootstrap) => exposeStats(bootstrap, node);
  const layered = stack.use(
    await startLayered({ version: newestEnvoy, lua: luaFilters, endpoints: [backend.address], edit }),
  );
  const fields = viewFields({ hosts: backend.address, total_hosts: 1, default_shard_size: 1 });
  const stats = `127.0.0.1:${await layered.envoy.port('stats')}`;
  const owned = stack.move();
  return { backend, layered, fields, stats, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Sends requests while it lasts, some 50 a second to each, so that rates are of something. */
function sendRequests(nodes: readonly Layered[]): AsyncDisposable {
  const over = new AbortController();
  const sending = nodes.map(async ({ client }) => {
    while (!over.signal.aborted) {
      await client.as('customer-A');
      await sleep(20);
    }
  });
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await Promise.all(sending);
    },
  };
}

/** Both nodes, requests to them, and a Prometheus; the bad node has had another push. */
async function startScene() {
  await using stack = new AsyncDisposableStack();
  const [first, second] = [stack.use(await startNode(bad, 500)), stack.use(await startNode(good, 200))];
  await first.layered.push(first.fields);
  await first.layered.push({ ...first.fields, 'shuffle_sharding.default_shard_size': 1 });
  await second.layered.push(second.fields);
  const jobs = {
    job_name: 'envoy',
    metrics_path: '/stats/prometheus',
    params: { text_readouts: [''] },
    static_configs: [{ targets: [first.stats, second.stats] }],
  };
  const { url } = stack.use(await startPrometheus([jobs]));
  stack.use(sendRequests([first.layered, second.layered]));
  const check = { name: 'x', url, max: 1, min: null, everyMs: 1000, timeoutMs: 20_000 };
  const ask = (query: string, nodes: readonly string[] | null, version = 'push-2') =>
    queryPrometheus({ ...check, query }, { version, nodes }, new AbortController().signal);
  const owned = stack.move();
  return {
    goodBackend: second.backend,
    /** Waits until the query gives a number that will do. */
    value: async (query: string, nodes: readonly string[] | null, willDo: (value: number) => boolean) => {
      let result: QueryResult;
      const isSo = async () => 'value' in (result = await ask(query, nodes)) && willDo(result.value);
      await until(query, isSo).catch((error: unknown) => {
        throw new Error(`${JSON.stringify(nodes).slice(0, 100)}: ${JSON.stringify(result)}`, { cause: error });
      });
    },
    error: async (query: string, nodes: readonly string[] | null = null) => {
      const result = await ask(query, nodes);
      return 'error' in result ? result.error : `it gives ${result.value}`;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const skip = skipWithout(newestEnvoy) || skipWithoutPrometheus();

describe('a real Prometheus that scrapes real Envoys', { skip }, () => {
  test('queries tell nodes and versions apart, whatever their names', async (t) => {
    await using scene = await startScene();
    await scene.value(byNodes, [bad], (value) => value === 1);
    await scene.value(byNodes, [good], (value) => value === 0);
    await scene.value(byNodes, [good, bad], (value) => value > 0 && value < 1);
    await scene.value(byNodes, null, (value) => value > 0 && value < 1);
    await scene.value(byVersion, null, (value) => value === 1);
    await scene.value(byVersion.replaceAll('{{version}}', 'push-1'), null, (value) => value === 0);
    await scene.value(p99, [good], (value) => value > 0 && value < 1000);
    const nodes = 'count(envoy_server_live{node=~"{{nodes}}"})';
    await scene.value(nodes.replaceAll('"', "'"), [good], (value) => value === 1);
    await scene.value(nodes, null, (value) => value === 2);
    const many = Array.from({ length: 5000 }, (_, at) => `edge-${at}.some-region.example.internal`);
    const began = performance.now();
    await scene.value(nodes, [...many, bad], (value) => value === 1);
    t.diagnostic(`a query that names 5,000 nodes: ${Math.round(performance.now() - began)} ms`);
    // An exhausted shard is a 503 of Envoy's own: in no load report, but here.
    await scene.goodBackend.stop();
    await scene.value(byNodes, [good], (value) => value > 0);
  });

  test('what gives no number is an error, in its words', async () => {
    await using scene = await startScene();
    await scene.value('count(up)', null, (value) => value === 2);
    await scene.value('scalar(count(up))', null, (value) => value === 2);
    assert.match(await scene.error('sum('), /^it answered 400: bad_data: .*parse error: unclosed left parenthesis/);
    assert.equal(await scene.error('up'), 'the query gives 2 numbers, not one: put sum(...) or max(...) around it');
    assert.equal(await scene.error(byNodes, ['another']), 'the query gives nothing: no series matches');
    assert.equal(await scene.error('vector(0) / 0'), 'the query gives NaN: is it a share of no requests?');
    assert.equal(await scene.error('up[1m]'), 'the query gives a matrix, not one number');
    assert.equal(await scene.error('"{{version}}"'), 'the query gives a string, not one number');
  });
});
