import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { file, startScene, versionOf, type Scene } from './support.ts';

describe('what git does to a branch', { skip: skipWithout(newestEnvoy) }, () => {
  let scene: Scene;
  before(async () => {
    scene = await startScene();
  });
  after(() => scene[Symbol.asyncDispose]());

  /** Runs git, then waits until Envoy runs the revision that the branch has now; returns it. */
  async function follow(...commands: string[][]): Promise<string> {
    for (const command of commands) await scene.repository.git(...command);
    const sha = await scene.repository.git('log', '-1', '--format=%H', '--', file);
    await scene.daemon.waitFor(
      `${commands.at(-1)!.join(' ')}: ${sha}`,
      ({ live, head }) => live?.version === sha && live.proven && head?.version === sha,
    );
    assert.equal(await versionOf(scene.envoy), sha);
    return sha;
  }

  test('amend, with and without a change of the content', async () => {
    const first = await scene.release({ size: 1 });
    await scene.repository.write({ [file]: scene.text({ size: 3 }) });
    const second = await follow(['commit', '--quiet', '--amend', '--all', '-m', 'amended']);
    assert.notEqual(second, first);
    await scene.answers('customer-A', '3/4');
    const third = await follow(['commit', '--quiet', '--amend', '-m', 'only other words']);
    assert.notEqual(third, second);
    assert.equal((await scene.daemon.status()).live!.subject, 'only other words');
  });

  test('revert', async () => {
    await scene.release({ size: 2 });
    await scene.release({ size: 4 });
    await scene.answers('customer-A', '4/4');
    await follow(['revert', '--no-edit', 'HEAD']);
    await scene.answers('customer-A', '2/4');
  });

  test('a merge of two sides that both changed the file', async () => {
    await scene.release({ size: 1, runtime: { 'a.a': 1, 'b.b': 1, 'c.c': 1, 'd.d': 1, 'e.e': 1 } });
    await scene.repository.git('branch', 'side');
    await scene.release({ size: 2, runtime: { 'a.a': 1, 'b.b': 1, 'c.c': 1, 'd.d': 1, 'e.e': 1 } });
    await follow(['switch', '--quiet', 'side']);
    await scene.answers('customer-A', '1/4');
    await scene.release({ size: 1, runtime: { 'a.a': 1, 'b.b': 1, 'c.c': 1, 'd.d': 1, 'e.e': 2 } });
    await follow(['switch', '--quiet', 'main']);
    const merge = await follow(['merge', '--quiet', '--no-edit', 'side']);
    assert.equal(await scene.repository.git('rev-parse', 'HEAD'), merge);
    await scene.answers('customer-A', '2/4');
  });

  test('reset --hard goes back, and forward again', async () => {
    const [before, newest] = [await scene.release({ size: 3 }), await scene.release({ size: 1 })];
    assert.equal(await follow(['reset', '--quiet', '--hard', before]), before);
    await scene.answers('customer-A', '3/4');
    assert.equal(await follow(['reset', '--quiet', '--hard', newest]), newest);
    await scene.answers('customer-A', '1/4');
  });

  test('rebase: the commits are others, and the newest is live', async () => {
    await scene.repository.git('switch', '--quiet', '-c', 'topic');
    const old = await scene.release({ size: 2 });
    await scene.repository.git('switch', '--quiet', 'main');
    await scene.repository.commit({ 'README.md': String(Math.random()) });
    await follow(['switch', '--quiet', 'topic']);
    const rebased = await follow(['rebase', '--quiet', 'main']);
    assert.notEqual(rebased, old);
    await scene.answers('customer-A', '2/4');
    await follow(['switch', '--quiet', 'main']);
    await scene.answers('customer-A', '1/4');
    await follow(['merge', '--quiet', '--ff-only', 'topic']);
    await scene.answers('customer-A', '2/4');
  });

  test('a deleted branch keeps what is live, and is a problem until it is back', async () => {
    const { daemon, repository } = scene;
    const live = await scene.release({ size: 3 });
    await repository.git('update-ref', '-d', 'refs/heads/main');
    const { problems, ready } = await daemon
      .waitFor('a problem', (status) => status.problems.length > 0)
      .then(async (status) => ({ problems: status.problems, ready: (await daemon.get('/readyz')).status }));
    assert.equal(problems[0]!.code, 'ref-deleted');
    assert.equal(ready, 200);
    assert.equal(await versionOf(scene.envoy), live);
    await follow(['update-ref', 'refs/heads/main', live]);
    await daemon.waitFor('over', (status) => status.problems.length === 0);
  });

  test('gc --prune=now and pack-refs while commits go on', async () => {
    const { repository, daemon } = scene;
    for (let i = 0; i < 3; i++) {
      // With --prune=now beside a commit, git itself would delete what the commit has just written.
      const collecting = Promise.all([repository.git('gc', '--quiet'), repository.git('pack-refs', '--all')]);
      // git itself may find the refs locked for a moment
      await until('the commit', async () =>
        repository.commit({ [file]: scene.text({ size: 1 + (i % 4) }) }).catch(() => null),
      );
      await collecting.catch(() => undefined);
      await follow(['gc', '--quiet', '--prune=now']);
    }
    assert.deepEqual((await daemon.status()).problems, []);
    assert.deepEqual(
      daemon.log().filter(({ level, msg }) => level === 'error' && !msg.startsWith('HEAD was deleted')),
      [],
    );
  });
});
