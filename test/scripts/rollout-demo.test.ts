import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { temporaryFolder } from '../helpers/git.ts';
import { assertNothingLeft, findProcess, freeOffset, signalGroup, startDemo } from './demo.ts';

const skip = skipWithout(newestEnvoy);

test(
  'the rollout demo shows a bad wave and all stages of a good commit, and leaves nothing behind',
  { skip },
  async () => {
    await using folder = await temporaryFolder();
    const offset = await freeOffset();
    const demo = startDemo(['--rollout', '--port-offset', String(offset)], folder.path);
    assert.equal(await demo.exitCode, 0, demo.output());
    const output = demo.output();
    assert.equal(
      output.match(/^ {2}edge-\d {2}had it .* errors \(500\) for \d+ customers, all of host 9$/gm)?.length,
      1,
    );
    assert.equal(output.match(/^ {2}edge-\d {2}never had it .* requests, no error$/gm)?.length, 2);
    assert.equal(output.match(/what was live before needs no waves$/gm)?.length, 2);
    const rows = [...output.matchAll(/^ {2}of all 100 +(\d+) have it +(\d+) have it +(\d+) have it$/gm)];
    const [first = [], ...stages] = rows.map(([, ...counts]) => counts.map(Number));
    assert.deepEqual(first.toSorted(), [0, 0, 100]);
    const [two, some = 0, more = 0, all] = stages.map(([count, ...others]) => {
      assert.deepEqual(others, [count, count], 'all Envoys alike');
      return count;
    });
    assert.deepEqual([stages.length, two, all], [4, 2, 100]);
    assert.ok(2 < some && some < more && more < 100, `${some}, ${more}`);
    assert.match(output, /All that was expected was seen/);
    await assertNothingLeft(demo, offset, folder.path);
  },
);

test('Ctrl-C stops the rollout demo and all that it started', { skip }, async () => {
  await using folder = await temporaryFolder();
  const offset = await freeOffset();
  const demo = startDemo(['--rollout', '--port-offset', String(offset)], folder.path);
  await demo.sees('the traffic');
  signalGroup(demo.group, 'SIGINT');
  assert.equal(await demo.exitCode, 130, demo.output());
  assert.doesNotMatch(demo.output(), /error:/);
  await assertNothingLeft(demo, offset, folder.path);
});

test('an Envoy that dies under traffic ends it, with the last lines of all programs', { skip }, async () => {
  await using folder = await temporaryFolder();
  const offset = await freeOffset();
  const demo = startDemo(['--rollout', '--port-offset', String(offset)], folder.path);
  await demo.sees('the traffic');
  process.kill(await findProcess(demo.group, '--disable-hot-restart'), 'SIGKILL');
  assert.equal(await demo.exitCode, 1);
  assert.match(demo.output(), /^ {2}the daemon \| .*\n[^]*^error: Envoy edge-\d has ended: .*\n {2}hint: .*\n/m);
  await assertNothingLeft(demo, offset, folder.path);
});
