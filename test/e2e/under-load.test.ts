import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';

import { assignShard } from '../../src/shard/assign.ts';
import { makeClient, type Answer, type Client } from '../envoy/support.ts';
import { envoyVersions, newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { file, startScene } from './support.ts';

const oldest = [...envoyVersions].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))[0]!;
const customers = Array.from({ length: 50 }, (_, i) => `customer-${i}`);

/** What one commit says: how many hosts, which drain, and the size of every customer. */
interface Plan {
  readonly total: number;
  readonly size: number;
  readonly drained: readonly number[];
}

/** Twenty commits that grow, shrink, drain and resize. */
const plans: readonly Plan[] = Array.from({ length: 20 }, (_, i) => ({
  total: 6 + ((i * 5) % 7),
  size: 1 + (i % 4),
  drained: i % 3 === 0 ? [] : [i % 6, (i * 2) % 6],
}));

const textOf = ({ total, size, drained }: Plan, addresses: readonly string[]) =>
  stringify({
    shuffle_sharding: {
      default_shard_size: size,
      hosts: addresses
        .slice(0, total)
        .map((address, slot) => (drained.includes(slot) ? { address, drain: true } : address)),
    },
  });

/** An answer, and the newest commits before it was asked for and when it came. */
interface Seen {
  readonly customer: string;
  readonly answer: Answer;
  readonly from: number;
  readonly to: number;
}

/** 500 requests a second, whether or not those before are answered. */
function startLoad(client: Client, newest: () => number) {
  const seen: Seen[] = [];
  const failures: unknown[] = [];
  const open = new Set<Promise<void>>();
  let ends = false;
  const send = async (i: number) => {
    const [customer, from] = [customers[i % customers.length]!, newest()];
    const answer = await client.as(customer, `/${i}`);
    seen.push({ customer, answer, from, to: newest() });
  };
  const run = async () => {
    const started = performance.now();
    for (let i = 0; !ends; i++) {
      const sent: Promise<void> = send(i)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => open.delete(sent));
      open.add(sent);
      const early = started + (i + 1) * 2 - performance.now();
      if (early > 1) await sleep(early);
    }
    await Promise.all(open);
  };
  const running = run();
  const stop = async () => {
    ends = true;
    await running;
    return { seen, failures };
  };
  return { stop };
}

for (const version of new Set([oldest, newestEnvoy]))
  describe(`Envoy ${version}`, { skip: skipWithout(version) }, () => {
    test('20 commits under 500 requests a second: none fails, none leaves the old or the new shard', async () => {
      await using scene = await startScene({
        envoys: [version],
        backends: 12,
        settings: { repository: { guard: { hosts: 1, customers: 1 } } },
      });
      const addresses = scene.backends.map(({ address }) => address);
      const commits: { sha: string; plan: Plan }[] = [];
      const release = async (plan: Plan) => {
        const sha = await scene.repository.commit({ [file]: textOf(plan, addresses) });
        commits.push({ sha, plan });
        await until(`${sha} is seen`, async () => {
          const { headers } = await scene.client.as('watcher');
          return headers['x-shard-version'] === sha.slice(0, 12);
        });
      };
      await release(plans.at(-1)!);
      using client = makeClient(await scene.envoy.port(), 64);
      const load = startLoad(client, () => commits.length - 1);
      for (const plan of plans) await release(plan);
      const { seen, failures } = await load.stop();
      assert.deepEqual(failures, []);
      for (const { customer, answer, from, to } of seen) {
        assert.equal(answer.status, 200, answer.body);
        const index = commits.findIndex(({ sha }) => sha.startsWith(String(answer.headers['x-shard-version'])));
        assert.ok(index >= from - 1 && index <= to, `commit ${index} while ${from} to ${to} were the newest`);
        const { total, size, drained } = commits[index]!.plan;
        const shard = assignShard({ customer, totalHosts: total, shardSize: size, drained: new Set(drained) });
        const hosts = shard.map((slot) => addresses[slot]);
        assert.ok(hosts.includes(answer.body), `${answer.body} is not in ${customer}'s shard ${hosts.join()}`);
      }
      assert.ok(seen.length > 1_000, `${seen.length} requests`);
    });
  });
