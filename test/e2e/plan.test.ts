import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangePlan } from '../../src/plan/plan.ts';
import { newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { file, startScene, type Scene } from './support.ts';

test('over a limit: held with the numbers until it is accepted; plan --live compares with what runs', async () => {
  const settings = { plan: { limits: { moved: '20%' } } };
  await using scene = await startScene({ envoys: [], backends: 9, first: { hosts: 8 }, settings });
  const { daemon, repository } = scene;
  const good = (await daemon.status()).live!.version;
  const sha = await scene.commit({ hosts: 9 }, 'one host more');
  const { head, live } = await daemon.waitFor('held', (status) => status.head?.outcome === 'held');
  const words = '22.22 % of the customers change hosts, more than 20 % (plan.limits.moved)';
  assert.equal(head!.diagnostics[0]!.message, `held: ${words}`);
  assert.equal(live!.version, good);

  const same = await daemon.run('plan', '--detailed-exitcode');
  assert.deepEqual([same.code, same.stdout.split('\n')[1]], [0, 'nothing changes']);
  const against = await daemon.run('plan', '--live', '--json');
  assert.equal(against.code, 3, against.stderr);
  const plan = JSON.parse(against.stdout) as ChangePlan & {
    readonly from: { readonly name: string; readonly version: string };
  };
  assert.deepEqual(plan.from, { name: 'live', version: good });
  assert.ok(plan.unnamed.formula!.moved > 0.2);
  assert.match((await daemon.run('plan', '--live', 'HEAD~1..HEAD')).stderr, /give no range with it/);

  assert.equal((await daemon.run('accept', sha)).code, 0);
  await daemon.waitForLive(sha);
  assert.equal((await daemon.run('plan', '--live', '--detailed-exitcode')).code, 0);

  await repository.git('revert', '--no-edit', 'HEAD');
  await daemon.waitForLive(await repository.git('rev-parse', 'HEAD'));
});

test('no daemon to compare with', async () => {
  await using scene = await startScene({ envoys: [], backends: 2 });
  await scene.daemon.kill('SIGTERM');
  const { code, stderr } = await scene.daemon.run('plan', '--live');
  assert.equal(code, 1);
  assert.match(stderr, /no daemon answers at /);
});

/** Which hosts each of them has, as Envoy answers it. */
async function seen(scene: Scene, ids: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const id of ids) {
    const { headers } = await scene.client.as(id);
    found.set(id, String(headers['x-shard-assignment']).slice(1, -1).split(',').toSorted().join());
  }
  return found;
}

test(
  'a host added to 8: who moves is who plan says, on a real Envoy, of 2,000',
  { skip: skipWithout(newestEnvoy) },
  async () => {
    const ids = Array.from({ length: 2000 }, (_, i) => `customer-${i}`);
    const customers = Object.fromEntries(ids.map((id) => [id, 2]));
    await using scene = await startScene({ backends: 9, first: { hosts: 8, customers } });
    await scene.answers('customer-0', '2/8');
    const before = await seen(scene, ids);
    await scene.repository.write({ [file]: scene.text({ hosts: 9, customers }) });
    const { stdout, stderr } = await scene.daemon.run('plan', '--full', '--json');
    assert.notEqual(stdout, '', stderr);
    const { named, unnamed } = JSON.parse(stdout) as ChangePlan;
    assert.ok(Math.abs(unnamed.formula!.moved - 2 / 9) < 1e-9);
    await scene.release({ hosts: 9, customers });
    await scene.answers('customer-0', '2/9');
    const after = await seen(scene, ids);
    const moved = ids.filter((id) => before.get(id) !== after.get(id));
    assert.deepEqual(
      moved,
      named.moves.map(({ customer }) => customer),
    );
    assert.ok(Math.abs(moved.length / 2000 - 2 / 9) < 0.04, `${moved.length}`);
  },
);
