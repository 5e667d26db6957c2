import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { shardplane, startDaemon, type TestDaemon } from '../helpers/daemon.ts';
import { envoyVersions, newestEnvoy, skipWithout, startEnvoy } from '../helpers/envoy.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';

const config = (size: number) => `shuffle_sharding: {default_shard_size: ${size}, total_hosts: 2}\n`;

/** Each daemon has a state of its own. */
function subfolder(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function connected(daemon: TestDaemon, count: number) {
  return daemon.waitFor(`${count} connected`, ({ counts }) => counts.connected === count, 30_000);
}

// The oldest and the newest: which Envoy it is makes no difference to how it does health checks.
for (const version of new Set([envoyVersions[0] ?? newestEnvoy, newestEnvoy])) {
  test(
    `bootstrap --xds A,B on Envoy ${version}: B is asked while A is away`,
    { skip: skipWithout(version) },
    async () => {
      await using folder = await temporaryFolder();
      await using repository = await makeRepository();
      await repository.commit({ 'shard-config.yaml': config(1) });
      await using a = await startDaemon({ repository: repository.path, folder: subfolder(folder.path, 'a') });
      await using b = await startDaemon({ repository: repository.path, folder: subfolder(folder.path, 'b') });
      const xds = `127.0.0.1:${a.xdsPort},127.0.0.1:${b.xdsPort}`;
      const flags = ['--xds', xds, '--listen', '127.0.0.1:1', '--admin', 'ADMIN_SOCKET', '--endpoints', '127.0.0.1:1'];
      const { stdout } = await shardplane(['bootstrap', ...flags]);
      await using envoy = await startEnvoy({
        version,
        bootstrap: stdout.replace('port_value: 1\n', 'port_value: 0\n'),
      });
      await connected(a, 1);
      assert.equal((await b.status()).counts.connected, 0);
      await a.kill('SIGKILL');
      await connected(b, 1);
      const next = await repository.commit({ 'shard-config.yaml': config(2) });
      await b.waitFor('the commit is live', ({ live }) => live?.version === next && live.proven);
      assert.equal(await envoy.stat('runtime.version_text'), next);
    },
  );
}
