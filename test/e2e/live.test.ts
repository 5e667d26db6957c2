import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Explanation } from '../../src/daemon/explain-release.ts';
import { newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { file, startScene, versionOf, type Scene } from './support.ts';

/** Named in each commit: losing more than half of them is held. */
const customers = { 'customer-A': 2, 'customer-B': 4, 客户: 5 };

describe('from a commit to live traffic', { skip: skipWithout(newestEnvoy) }, () => {
  let scene: Scene;
  before(async () => {
    scene = await startScene({ backends: 12, first: { customers, hosts: 8 } });
  });
  after(() => scene[Symbol.asyncDispose]());

  test('traffic follows the commits, inside the shard that the header names', async () => {
    await scene.answers('customer-A', '2/8');
    const sha = await scene.release({ customers: { ...customers, 'customer-A': 3 } });
    const answer = await scene.answers('customer-A', '3/12');
    assert.equal(answer.headers['x-shard-version'], sha.slice(0, 12));
    const shard = (JSON.parse(String(answer.headers['x-shard-assignment'])) as number[]).map(
      (slot) => scene.backends[slot - 1]!.address,
    );
    assert.equal(shard.length, 3);
    for (let i = 0; i < 60; i++) assert.ok(shard.includes((await scene.client.as('customer-A', `/${i}`)).body));
  });

  test('20 commits: version_text is the SHA of each, soon after git commit has returned', async (t) => {
    const acks: number[] = [];
    const changes: number[] = [];
    for (let i = 0; i < 20; i++) {
      const { sha, acked, changed } = await timeCommit(scene, i);
      assert.equal(await versionOf(scene.envoy), sha);
      acks.push(acked);
      changes.push(changed);
    }
    tell(t, 'git commit returning to the ACK', acks);
    tell(t, 'git commit returning to the first changed response', changes);
  });

  test('explain agrees with the headers that a request gets', async () => {
    const sha = await scene.release({ customers });
    for (const customer of [...Object.keys(customers), 'not-listed']) {
      const { headers } = await until('the new version', async () => {
        const answer = await scene.client.as(customer);
        return answer.headers['x-shard-version'] === sha.slice(0, 12) ? answer : null;
      });
      const found = await scene.daemon.json<Explanation>('explain', customer);
      assert.equal(headers['x-shard-assignment'], `[${found.assignment.join(',')}]`, customer);
      assert.equal(headers['x-shard-config'], `${found.shardSize}/${found.totalHosts}`);
      assert.equal(found.version, sha);
      const hosts = found.slots.map(({ number }) => scene.backends[number - 1]!.address);
      assert.deepEqual(
        found.slots.map(({ host }) => host),
        hosts,
      );
    }
    const words = await scene.daemon.run('explain', 'customer-B');
    assert.match(words.stdout, /^customer-B {2}x-shard-assignment: \[[\d,]+\] {2}x-shard-config: 4\/12\n/);
    assert.match(words.stdout, /shuffle_sharding\.customer\.customer-B\.shard_size = 4/);
  });

  test('a commit that breaks the schema is told once, with its line; the next good one goes live', async () => {
    const { daemon, repository } = scene;
    const good = (await daemon.status()).live!.version;
    const broken = scene.text({ customers }).replace('shard_size: 4', 'shard_size: three');
    const sha = await repository.commit({ [file]: broken }, 'break it');
    const status = await daemon.waitFor('invalid', ({ head }) => head?.version === sha && head.outcome === 'invalid');
    const line = broken.split('\n').findIndex((text) => text.includes('three')) + 1;
    const [fault, ...more] = status.head!.diagnostics;
    assert.deepEqual(more, []);
    assert.equal(fault!.line, line);
    assert.equal(status.live!.version, good);

    const drawn = new RegExp(
      `shard-config\\.yaml:${String(line)}:\\d+: error: .*\\n.*shard_size: three\\n +\\^\\n +hint: `,
    );
    assert.match((await daemon.run('status')).stdout, drawn);
    const told = daemon.log().filter(({ msg }) => msg.startsWith(`invalid ${sha.slice(0, 12)}`));
    assert.equal(told.length, 1);
    assert.equal(told[0]!.level, 'error');
    assert.match(told[0]!.drawn!, drawn);

    assert.equal(await versionOf(scene.envoy), good);
    assert.equal((await scene.client.as('customer-A')).headers['x-shard-config'], '2/12');
    const fixed = await scene.release({ customers: { ...customers, 'customer-A': 5 } });
    assert.equal(await versionOf(scene.envoy), fixed);
    assert.deepEqual((await daemon.status()).head!.diagnostics, []);
    await scene.answers('customer-A', '5/12');
  });

  test('a saved edit is checked and told, and never pushed', async () => {
    const { daemon, repository } = scene;
    const live = (await daemon.status()).live!.version;
    await repository.write({ [file]: scene.text({ size: 7, customers }) });
    await daemon.logged(/is saved: valid, not committed/);
    await daemon.waitFor('working', ({ working }) => working?.valid === true);
    assert.match((await daemon.run('status')).stdout, /the saved file differs from the commit: valid, not committed/);
    await repository.write({ [file]: scene.text({ size: 99, customers }) });
    const said = await daemon.logged(/is saved: not valid, not committed/);
    assert.match(said.drawn!, /^shard-config\.yaml:\d+:\d+: error: /);
    await daemon.waitFor('not valid', ({ working }) => working?.valid === false);
    assert.match((await daemon.run('status')).stdout, /saved, not committed: shard-config\.yaml:\d+:\d+: error: /);
    // another commit, of another file, is no reason to take the saved one
    await repository.write({ 'README.md': 'hello' });
    await repository.git('add', 'README.md');
    await repository.git('commit', '--quiet', '-m', 'another file');
    await daemon.run('sync');
    assert.equal((await daemon.status()).live!.version, live);
    assert.equal(await versionOf(scene.envoy), live);
    await repository.git('checkout', '--', file);
    await daemon.waitFor('the edit is gone', ({ working }) => working === null);
  });

  test('20 commits within one second: the last is live, and each has its outcome', async () => {
    const { daemon, repository } = scene;
    const began = Date.now();
    const shas: string[] = [];
    for (let i = 0; i < 20; i++) {
      const content = i === 7 ? 'broken: true\n' : scene.text({ size: 2 + (i % 3), customers });
      await repository.write({ [file]: content });
      await repository.git('commit', '--quiet', '--all', '-m', `burst ${i}`);
    }
    const took = Date.now() - began;
    shas.push(...(await repository.git('rev-list', '--max-count=20', 'HEAD')).split('\n'));
    await daemon.waitForLive(shas[0]!);
    const entries = await until('20 outcomes', async () => {
      const seen = (await daemon.history()).filter(({ version }) => shas.includes(version));
      return seen.length === 20 && seen.every(({ outcome }) => outcome !== null) ? seen : null;
    });
    assert.equal(await versionOf(scene.envoy), shas[0]);
    assert.ok(took < 5_000, `the burst took ${took} ms`);
    assert.deepEqual(
      entries.filter(({ outcome }) => outcome === 'invalid').map(({ version }) => version),
      [shas[12]],
    );
    assert.equal(entries.find(({ version }) => version === shas[0])!.outcome, 'live');
  });
});

/** One commit of another size, and milliseconds from `git commit` returning: to the ACK (by the log), to the first changed response. */
async function timeCommit(scene: Scene, i: number) {
  const { repository, daemon } = scene;
  await repository.write({ [file]: scene.text({ customers: { ...customers, 'customer-A': 2 + (i % 3) } }) });
  await repository.git('commit', '--quiet', '--all', '-m', `change ${i}`);
  const returned = Date.now();
  const sha = await repository.git('rev-parse', 'HEAD');
  const short = sha.slice(0, 12);
  await until('the first changed response', async () => {
    return (await scene.client.as('customer-A')).headers['x-shard-version'] === short;
  });
  const changed = Date.now() - returned;
  const ack = await daemon.logged(new RegExp(`^${short} acknowledged by 1 of 1`));
  return { sha, acked: Date.parse(ack.time) - returned, changed };
}

function tell(t: TestContext, what: string, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => String(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]);
  t.diagnostic(`${what}: median ${at(0.5)} ms, 90 % ${at(0.9)} ms, most ${at(1)} ms, of ${sorted.length}`);
}
