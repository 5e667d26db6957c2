import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Status } from '../../src/http/api.ts';
import type { Story } from '../../src/ledger/store.ts';
import { newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { file, startScene, versionOf } from './support.ts';

const four = { a: 1, b: 1, c: 1, d: 1 };
const one = { a: 1 };

describe('what is held', { skip: skipWithout(newestEnvoy) }, () => {
  test('a commit that removes most customers, until it is accepted; kill -9 forgets neither', async () => {
    await using scene = await startScene({ first: { customers: four } });
    const { daemon, envoy } = scene;
    const good = (await daemon.status()).live!.version;
    const sha = await scene.commit({ customers: one }, 'half a file lost in a merge');
    const status = await daemon.waitFor('held', isHeld(sha, good));
    assert.equal(status.head!.diagnostics[0]!.message, 'held: it removes 3 of 4 customers, more than 50 %: b, c, d');
    assert.match(status.head!.diagnostics[0]!.hint!, new RegExp(`shardplane accept ${sha.slice(0, 12)}`));
    const said = await daemon.logged(/^held /);
    assert.equal(
      said.msg,
      `held ${sha.slice(0, 12)} half a file lost in a merge: it removes 3 of 4 customers, more than 50 %: b, c, d`,
    );
    assert.equal(said.hint, `look at it, then: shardplane accept ${sha.slice(0, 12)}`);
    assert.match((await daemon.run('status')).stdout, /held: it removes 3 of 4 customers/);
    assert.match((await daemon.get('/metrics')).body, /^shardplane_head_held 1$/m);
    assert.equal(await versionOf(envoy), good);

    await daemon.restart();
    await daemon.run('sync'); // git has been asked: what is seen is not just what the ledger remembers
    await daemon.waitFor('held still', isHeld(sha, good));
    assert.equal(await versionOf(envoy), good);

    const wrong = await daemon.run('accept', good);
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.stderr,
      /accept works only on the newest revision, and .* is another\n +hint: the newest revision is /,
    );
    const accepted = await daemon.run('accept', sha.slice(0, 8));
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.match(accepted.stdout, new RegExp(`^${sha.slice(0, 12)} is accepted\nrepo `));
    await daemon.waitForLive(sha);
    await until('Envoy has it', async () => (await versionOf(envoy)) === sha);
    const { events } = await daemon.json<Story>('history', sha);
    assert.ok(events.some(({ type, by }) => type === 'accepted' && by !== null));

    await daemon.restart();
    await daemon.waitFor('live', ({ live, head }) => live?.version === sha && head?.outcome === 'live');
    const twice = await daemon.run('accept', sha);
    assert.equal(twice.code, 1);
    assert.match(twice.stderr, /is not held/);
  });

  test('a trailer accepts beforehand; what is overtaken while it is held no longer waits', async () => {
    await using scene = await startScene({ envoys: [], first: { customers: four } });
    const { daemon } = scene;
    const held = await scene.commit({ customers: one });
    await daemon.waitFor('held', ({ head }) => head?.version === held && head.outcome === 'held');
    const sha = await scene.commit({ customers: one, size: 1 }, 'smaller\n\nShardplane-Accept: yes');
    await daemon.waitForLive(sha);
    const entries = await daemon.history();
    assert.deepEqual(entries.map(({ version, outcome, held: waits }) => [version, outcome, waits]).slice(0, 2), [
      [sha, 'live', false],
      [held, 'superseded', false],
    ]);
  });

  test('a shrinking total_hosts is held; a revert needs no accept', async () => {
    await using scene = await startScene({ envoys: [], backends: 8 });
    const { daemon, repository } = scene;
    const good = (await daemon.status()).live!.version;
    const sha = await scene.commit({ hosts: 3 });
    const { head } = await daemon.waitFor('held', isHeld(sha, good));
    assert.match(head!.diagnostics[0]!.message, /it shrinks total_hosts from 8 to 3, by more than 50 %/);
    await repository.git('revert', '--no-edit', 'HEAD');
    await daemon.waitForLive(await repository.git('rev-parse', 'HEAD'));
  });

  test('on_rewrite hold: a rewind waits for accept, over a kill -9 too', async () => {
    await using scene = await startScene({ settings: { repository: { on_rewrite: 'hold' } } });
    const { daemon, repository, envoy } = scene;
    const first = (await daemon.status()).live!.version;
    const second = await scene.release({ size: 3 });
    await repository.git('reset', '--quiet', '--hard', first);
    const status = await daemon.waitFor('held', isHeld(first, second));
    const words = `HEAD was rewound from ${second.slice(0, 12)} to ${first.slice(0, 12)}`;
    assert.equal(status.head!.diagnostics[0]!.message, `held: ${words}`);
    await daemon.restart();
    await daemon.run('sync');
    await daemon.waitFor('held still', isHeld(first, second));
    assert.equal(await versionOf(envoy), second);

    // what is committed on top of it is of the rewritten history: it is held as well
    const third = await scene.commit({ size: 4 }, 'on top');
    await daemon.waitFor('held as well', isHeld(third, second));
    const accepted = await daemon.run('accept', third);
    assert.equal(accepted.code, 0, accepted.stderr);
    await daemon.waitForLive(third);
    await scene.answers('customer-A', '4/4');
    const fourth = await scene.release({ size: 1 });
    assert.equal((await daemon.status()).live!.version, fourth);
  });

  test('on_rewrite refuse: nothing of a rewritten history, and it is a problem until the ref is back', async () => {
    await using scene = await startScene({ envoys: [], settings: { repository: { on_rewrite: 'refuse' } } });
    const { daemon, repository } = scene;
    const second = await scene.release({ size: 3 });
    await repository.commit({ [file]: scene.text({ size: 4 }) });
    const third = await repository.git('rev-parse', 'HEAD');
    await daemon.waitForLive(third);
    await repository.git('reset', '--quiet', '--hard', second);
    const { problems } = await daemon.waitFor('a problem', (status) => status.problems.length > 0);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['rewritten'],
    );
    const refused = await daemon.run('accept', second);
    assert.equal(refused.code, 1, refused.stdout);
    assert.match(refused.stderr, /part of a rewritten history, which nobody can accept with on_rewrite: refuse/);
    assert.match(
      (await daemon.run('status')).stdout,
      new RegExp(
        `hint: with on_rewrite: refuse nobody can accept it; put the ref back to ${third.slice(0, 12)}, or commit`,
      ),
    );
    assert.equal((await daemon.status()).live!.version, third);
    await repository.git('reset', '--quiet', '--hard', third);
    await daemon.waitFor('it is over', (status) => status.problems.length === 0 && status.head?.outcome === 'live');
  });
});

function isHeld(version: string, live: string) {
  return (status: Status) =>
    status.head?.version === version && status.head.outcome === 'held' && status.live?.version === live;
}
