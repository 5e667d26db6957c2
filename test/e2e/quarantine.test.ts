import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { newestEnvoy, oldestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { makeClient, type Client } from '../envoy/support.ts';
import { file, startScene } from './support.ts';

/** The backends that answer some requests of a customer. */
async function reached(client: Client, customer: string): Promise<Set<string>> {
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => client.as(customer, `/${i}`)));
  return new Set(answers.map(({ body }) => body));
}

test(
  'after the command’s commit the customer and all others share no host, on real Envoys; and when it should be over, that is said',
  { skip: skipWithout(oldestEnvoy) || skipWithout(newestEnvoy) },
  async () => {
    await using scene = await startScene({ envoys: [oldestEnvoy, newestEnvoy], backends: 6, first: null });
    const { daemon, repository, backends, envoys } = scene;
    const text = scene.text().replace('shuffle_sharding:\n', 'shuffle_sharding:\n  quarantine_hosts: 2\n');
    const isLive = (sha: string) =>
      daemon.waitFor(`${sha} is live`, ({ live }) => live?.version === sha && live.proven);
    await isLive(await repository.commit({ [file]: text }, 'first'));
    const addresses = backends.map(({ address }) => address);
    const [others, apart] = [new Set(addresses.slice(0, 4)), new Set(addresses.slice(4))];
    const clients = await Promise.all(envoys.map(async (envoy) => makeClient(await envoy.port(), 4)));
    try {
      const settled = async (sha: string) => {
        await isLive(sha);
        for (const client of clients)
          for (let version = ''; version !== sha.slice(0, 12);)
            version = String((await client.as('x')).headers['x-shard-version']);
      };
      const command = async (...args: string[]) => {
        const { code, stderr } = await daemon.run(...args, '--repository', repository.path);
        assert.equal(code, 0, stderr);
        const sha = await repository.git('rev-parse', 'HEAD');
        await settled(sha);
        return sha;
      };
      for (const client of clients) assert.ok((await reached(client, 'noisy')).isSubsetOf(others));
      await command('quarantine', 'noisy', '-m', 'Its flood hits others');
      for (const client of clients) {
        assert.deepEqual(await reached(client, 'noisy'), apart);
        const found = await Promise.all(Array.from({ length: 30 }, (_, i) => reached(client, `c${i}`)));
        assert.deepEqual(
          found.reduce((all, each) => all.union(each)),
          others,
        );
      }
      // a time that is over can be written by hand alone
      const edited = await readFile(join(repository.path, file), 'utf8');
      const over = edited.replace('quarantine: true', 'quarantine: true, quarantine_until: 2026-01-01T00:00:00Z');
      await settled(await repository.commit({ [file]: over }, 'Until the new year'));
      const overdue = await daemon.waitFor('the problem', ({ problems }) => problems.length > 0, 20_000);
      assert.deepEqual(
        overdue.problems.map(({ code, message }) => [code, message]),
        [['quarantine', 'the quarantine of noisy should be over by now']],
      );
      await command('unquarantine', 'noisy', '-m', 'It has stopped');
      for (const client of clients) assert.ok((await reached(client, 'noisy')).isSubsetOf(others));
      await daemon.waitFor('its end', ({ problems }) => problems.length === 0, 20_000);
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
  },
);
