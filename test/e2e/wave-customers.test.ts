import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Explanation } from '../../src/daemon/explain-release.ts';
import { makeClient, type Client } from '../envoy/support.ts';
import { cutoverPlace, shardOf } from '../helpers/documented-hash.ts';
import { newestEnvoy, oldestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { startScene, versionOf, type Scene } from './support.ts';

const named = ['acme', 'späti, 1=2', 'a%"b\\c'];
/** A wave that an operator promotes, so that a test may look for as long as it takes. */
const wave = (customers: string | readonly string[]) => ({ customers, bake: '100ms', promote: 'manual' });
const settings = {
  xds: { ack_timeout: '2s' },
  rollout: {
    strategy: 'little-by-little',
    strategies: {
      'little-by-little': [wave(named), wave('10%'), wave('62.5%'), { promote: 'manual', bake: '100ms' }],
    },
    checks: { errors: 'off' },
  },
};
const stages = [
  { cutover: 0, says: 'the named ones' },
  { cutover: 1_000, says: '10 %' },
  { cutover: 6_250, says: '62.5 %' },
];
const customers = [
  ...named,
  ...Array.from({ length: 150 }, (_, at) => `customer-${at}`),
  ...Array.from({ length: 30 }, (_, at) => `${'x'.repeat(at)}客户 ${at}%25,"=\\`),
  ...Array.from({ length: 17 }, (_, at) => `${at} \u{1f600}'${'é'.repeat(at % 4)}.`),
];

describe('customers little by little', { skip: skipWithout(newestEnvoy) || skipWithout(oldestEnvoy) }, () => {
  let scene: Scene;
  let clients: Client[];
  before(async () => {
    scene = await startScene({ envoys: [oldestEnvoy, newestEnvoy], backends: 12, settings, first: { hosts: 8 } });
    clients = await Promise.all(scene.envoys.map(async (envoy) => makeClient(await envoy.port())));
  });
  after(async () => {
    clients.forEach((client) => client[Symbol.dispose]());
    await scene[Symbol.asyncDispose]();
  });

  test('at each stage exactly those have the new shard that are named or below the cutover, on all nodes', async (t) => {
    const { daemon, envoys } = scene;
    const first = (await daemon.status()).live!.version;
    assert.equal(new Set(customers).size, 200);
    const sha = await scene.commit({ size: 3, customers: { 'customer-7': 5, [named[2]!]: 4 } });
    const before = (customer: string) => expected(first, shardOf(customer, { hosts: 8, size: 2 }), 8);
    const size = (customer: string) => (customer === 'customer-7' ? 5 : customer === named[2] ? 4 : 3);
    const later = (customer: string) => expected(sha, shardOf(customer, { hosts: 12, size: size(customer) }), 12);
    for (const { cutover, says } of stages) {
      const version = await promote(`${says} have it`, new RegExp(`^${sha}\\.\\d+$`));
      let moved = 0;
      for (const customer of customers) {
        const isNew = named.includes(customer) || cutoverPlace(customer) < cutover;
        moved += Number(isNew);
        const told = isNew ? later(customer) : before(customer);
        for (const client of clients) assert.deepEqual(await shown(client, customer), told, `${says}: ${customer}`);
      }
      for (const customer of ['customer-1', 'customer-7', ...named]) {
        const [{ headers }, found] = [
          await clients[0]!.as(customer),
          await daemon.json<Explanation>('explain', customer),
        ];
        assert.equal(`[${found.assignment.join(',')}]`, headers['x-shard-assignment'], `explain ${customer}, ${says}`);
        assert.equal(found.version.slice(0, 12), headers['x-shard-version']);
      }
      t.diagnostic(`${says}: ${moved} of ${customers.length} customers, ${version}`);
      for (const envoy of envoys) assert.equal(await versionOf(envoy), version, 'it was the same all the time');
    }
    await promote('everyone has it', new RegExp(`^${sha}$`));
    for (const customer of customers)
      for (const client of clients) assert.deepEqual(await shown(client, customer), later(customer), customer);
    await daemon.waitForLive(sha);
  });

  /** Lets the next wave begin; returns the version that all nodes have then. */
  async function promote(what: string, expects: RegExp): Promise<string> {
    const { daemon, envoys } = scene;
    const before = await versionOf(envoys[0]!);
    await daemon.waitFor('it waits for an operator', ({ rollout }) => rollout?.phase === 'waiting');
    const { code, stderr } = await daemon.run('promote');
    assert.equal(code, 0, stderr);
    return until(what, async () => {
      const [version, ...others] = await Promise.all(envoys.map(versionOf));
      // The filters read the runtime a moment later.
      const isSame = version !== before && others.every((other) => other === version);
      return isSame && expects.test(version ?? '') && (await haveRead(version!)) ? version : null;
    });
  }

  /** Both filters use that version: a named customer is told its commit. */
  async function haveRead(version: string): Promise<boolean> {
    const seen = await Promise.all(clients.map((client) => shown(client, 'acme')));
    return seen.every((each) => each.version === version.slice(0, 12));
  }
});

function expected(version: string, shard: readonly number[], hosts: number) {
  return { version: version.slice(0, 12), config: `${shard.length}/${hosts}`, assignment: `[${shard.join(',')}]` };
}

async function shown(client: Client, customer: string) {
  const { headers } = await client.as(customer);
  return {
    version: headers['x-shard-version'],
    config: headers['x-shard-config'],
    assignment: headers['x-shard-assignment'],
  };
}
