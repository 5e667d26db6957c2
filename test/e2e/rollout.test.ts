import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { LoadNode } from '../../scripts/bench/load/node.ts';
import type { CommandResult, Status } from '../../src/http/api.ts';
import { startDaemon, type Ended, type TestDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { config } from './remote-scene.ts';
import { file } from './support.ts';

/** Waves of one node, half of them once promoted, and all; each bakes until it is promoted, for all that a test waits. */
const waves = [{ nodes: 1, bake: '1h' }, { nodes: '50%', bake: '1h', promote: 'manual' }, { bake: '1h' }];
/** The order in which waves take these nodes. */
const ids = ['d', 'a', 'c', 'b'];

interface Scene extends AsyncDisposable {
  readonly daemon: TestDaemon;
  readonly first: string;
  /** Commits a valid change; returns its SHA. */
  commit(message?: string): Promise<string>;
  /** Waits until a rollout has come so far. */
  reaches(version: string, wave: number, phase?: string): Promise<NonNullable<Status['rollout']>>;
  /** The git note of a commit. */
  note(version: string): Promise<string>;
  /** What each node has, in their order. */
  versions(): Promise<(string | null)[]>;
}

async function startScene(settings: object = {}): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const repository = stack.use(await makeRepository());
  const folder = stack.use(await temporaryFolder());
  let count = 0;
  const commit = (message?: string) => repository.commit({ [file]: config((count += 1)) }, message);
  const first = await commit('the first');
  const rollout = { strategy: 'slow', strategies: { slow: waves }, ...settings };
  const daemon = stack.use(
    await startDaemon({ repository: repository.path, folder: folder.path, settings: { rollout } }),
  );
  for (const id of ids) {
    const node = new LoadNode({ id, port: daemon.xdsPort, onResponse: () => 'ack', onClose: () => undefined });
    stack.defer(() => node.close());
  }
  await daemon.waitFor('all have the first', ({ live, counts }) => live?.version === first && counts.acked === 4);
  return {
    ...{ daemon, first, commit },
    note: (version) => repository.git('notes', '--ref=shardplane', 'show', version),
    reaches: async (version, wave, phase = 'baking') => {
      const isThere = ({ rollout: now }: Status) =>
        now?.version === version && now.wave === wave && now.phase === phase;
      const { rollout: seen } = await daemon.waitFor(`${version} in wave ${wave}`, isThere);
      return seen!;
    },
    versions: async () => {
      const { nodes } = await daemon.status();
      return ids.map((id) => nodes.find((node) => node.id === id)?.version ?? null);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test('pause, resume, promote and abort: by whom and why, in the status, the history and the log', async () => {
  await using scene = await startScene();
  const { daemon, first } = scene;
  const second = await scene.commit('three hosts');
  const name = second.slice(0, 12);
  assert.deepEqual((await scene.reaches(second, 1)).nodes, { reached: 1, connected: 4 });
  const { nodes, head } = await daemon.status();
  assert.deepEqual([nodes.filter(({ wave }) => wave).map(({ id }) => id), head!.outcome], [['d'], null]);

  says(await daemon.run('pause', '-m', 'p99\nis up'), 0, /^\S+ is paused in wave 1 of 3: nodes keep what they have\n/);
  says(await daemon.run('pause'), 1, /is paused already, by \S+: p99 is up\n +hint: shardplane resume/);
  says(await daemon.run('promote', '--all'), 1, /is paused\n +hint: shardplane resume first, or shardplane abort/);
  const { stdout } = await daemon.run('status');
  assert.match(stdout, /^head .* rolling out\nwave {3}1 of 3 \(strategy slow: the default\)\n/m);
  assert.match(stdout, /^paused by \S+ \d+ s ago: p99 is up\nwaits {2}for an operator, to resume or abort it\n/m);
  assert.match(stdout, / d +\S+ +acked \(wave\)$/m);
  assert.equal((await daemon.run('status', '--exit-code')).code, 1);
  says(
    await daemon.run('sync', '--wait', '1h'),
    1,
    /not decided yet: wave 1 of 3, it waits for an operator, to resume/,
  );
  says(await daemon.run('resume'), 0, /^\S+ goes on in wave 1 of 3\n/);
  says(await daemon.run('resume'), 1, /is not paused/);
  says(await daemon.run('promote', '-m', 'looks good'), 0, /goes on: wave 2 of 3 of slow/);
  await scene.reaches(second, 2);
  assert.match((await daemon.run('history')).stdout, new RegExp(`^${name} +wave 2 of 3 `, 'm'));
  assert.match((await daemon.get('/metrics')).body, /^shardplane_rollout_wave 2$/m);

  const aborted = await daemon.json<CommandResult>('abort', '-m', 'customers complain');
  assert.equal(aborted.ok, true);
  const back = await daemon.waitFor('all are back', ({ counts, rollout }) => rollout === null && counts.acked === 4);
  assert.equal(back.head!.diagnostics[0]!.code, 'aborted');
  assert.deepEqual(await scene.versions(), [first, first, first, first]);
  says(await daemon.run('abort'), 1, /nothing is being rolled out/);
  says(await daemon.run('sync'), 1, /was aborted: it is rolled back/);
  const story = (await daemon.run('history', second)).stdout;
  for (const line of [
    /slow, wave 1 of 3: pushed to 1 of 4 nodes$/m,
    / paused by \S+: p99 is up$/m,
    / resumed by \S+$/m,
    / promoted by \S+: looks good$/m,
    /slow, wave 2 of 3: bakes until \S+Z$/m,
    / pinned by \S+, aborted: customers complain: not pushed again/m,
  ])
    assert.match(story, line);
  await daemon.logged(/ is paused by \S+: p99 is up;/);
  await daemon.logged(/aborted the rollout: customers complain/);
  assert.match((await daemon.get('/metrics')).body, /^shardplane_rollout_aborts_total\{cause="aborted"\} 1$/m);

  says(await daemon.run('retry', 'HEAD'), 0, /is pushed again\n/); // and does not wait for the bake
  says(await daemon.run('promote', '--all'), 0, /live|wave 3 of 3/);
  await daemon.waitForLive(second);
});

test('a freeze holds a commit, which goes by itself afterwards, or once it is accepted', async () => {
  await using scene = await startScene({ strategy: 'all-at-once' });
  const { daemon } = scene;
  says(await daemon.run('freeze', '--until', '2007-01-04T08:00'), 2, /is over already/);
  says(await daemon.run('freeze', '--until', 'soon'), 2, /must be a duration such as 4h, or a time/);
  says(await daemon.run('freeze', '-m', 'holidays'), 0, /^frozen until shardplane unfreeze: no wave begins/);
  says(await daemon.run('freeze'), 1, /frozen already, by \S+: holidays\n +hint: shardplane unfreeze ends it/);
  const { freeze } = await daemon.status();
  assert.deepEqual([freeze?.until, freeze?.reason], [null, 'holidays']);
  const held = await scene.commit('held');
  await daemon.waitFor('held', ({ head }) => head?.version === held && head.outcome === 'held');
  says(await daemon.run('sync'), 1, /is held: it waits for the end of the freeze, or for you/);
  assert.match((await daemon.run('status')).stdout, /^frozen until shardplane unfreeze, by \S+: holidays$/m);
  await daemon.restart();
  await daemon.waitFor('held still', ({ head, freeze: still }) => head?.outcome === 'held' && still !== null);
  says(
    await daemon.run('unfreeze'),
    0,
    /^rollouts are not frozen any more: the commit that was held goes on by itself/,
  );
  await daemon.waitForLive(held);
  says(await daemon.run('unfreeze'), 1, /nothing is frozen/);

  says(await daemon.run('freeze', '--until', '4h'), 0, /^frozen until \S+Z: /);
  const next = await scene.commit('accepted');
  await daemon.waitFor('held', ({ head }) => head?.version === next && head.outcome === 'held');
  says(await daemon.run('accept', next), 0, /is accepted/);
  await daemon.waitForLive(next);
});

test('a pause, a freeze, and who ordered them outlast kill -9; the note says where the rollout is', async () => {
  await using scene = await startScene();
  const { daemon } = scene;
  const second = await scene.commit();
  await scene.reaches(second, 1);
  const note = (words: RegExp) =>
    until(String(words), async () => words.test(await scene.note(second).catch(() => '')));
  await note(/^rolling out: wave 1 of 3: 1 of 4 nodes, baking 1 h$/m);
  await daemon.run('pause', '-m', 'p99');
  await daemon.run('freeze', '-m', 'until we know');
  const { rollout, freeze } = await daemon.status();
  await daemon.restart();
  const after = await daemon.status();
  assert.deepEqual([after.rollout?.paused, after.freeze], [rollout!.paused, freeze]);
  assert.equal(after.rollout?.paused?.why, 'p99');
  await note(/^rolling out: paused by \S+: p99$/m);
  says(await daemon.run('abort'), 0, /is taken back/);
  await note(/^rolled_back\n\S+ aborted the rollout$/m);
});

test('what is accepted passes a freeze wave by wave, until somebody freezes again', async () => {
  await using scene = await startScene();
  const { daemon } = scene;
  await daemon.run('freeze', '--until', '4h');
  const next = await scene.commit('a fix');
  await daemon.waitFor('held', ({ head }) => head?.version === next && head.outcome === 'held');
  says(await daemon.run('accept', next), 0, /is accepted/);
  await scene.reaches(next, 1);
  says(await daemon.run('promote'), 0, /goes on: wave 2 of 3/);
  await scene.reaches(next, 2);
  says(await daemon.run('freeze'), 0, /\n\S+ stays in wave 2 of 3; shardplane abort takes it back\n/);
  says(await daemon.run('promote'), 1, /no wave begins, frozen \(by \S+\)\n +hint: shardplane unfreeze/);
});

test('orders come over the control socket alone, and are checked there', async () => {
  await using scene = await startScene();
  const { daemon } = scene;
  const post = async (path: string, body: object, place: object) =>
    new Promise<number>((resolve, reject) => {
      const call = request({ ...place, method: 'POST', path }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      call.on('error', reject);
      call.end(JSON.stringify(body));
    });
  const socket = { socketPath: join(daemon.state, 'control.sock') };
  for (const verb of ['pause', 'resume', 'promote', 'abort', 'freeze', 'unfreeze'])
    assert.equal(await post(`/api/v1/${verb}`, {}, { host: '127.0.0.1', port: daemon.httpPort }), 404, verb);
  for (const until of ['tomorrow', 7, '2007-01-01T00:00:00Z', '2099-01-01T00:00:00Z', '2099-01-01T00:00'])
    assert.equal(await post('/api/v1/freeze', { until }, socket), 400, String(until));
  assert.equal(await post('/api/v1/freeze', { why: 7 }, socket), 400);
  assert.equal(await post('/api/v1/promote', { all: 'yes' }, socket), 400);
  assert.equal(await post('/api/v1/abort', {}, socket), 409);
  assert.equal(await post('/api/v1/freeze', { why: `a\u001b[2J${'x'.repeat(600)}`, by: 'y'.repeat(200) }, socket), 200);
  const { freeze } = await daemon.status();
  assert.match(freeze!.reason, /^a \[2Jx+$/);
  assert.deepEqual([freeze!.reason.length, freeze!.by!.length], [500, 100]);
});

function says({ code, stdout, stderr }: Ended, expected: number, words: RegExp): void {
  const text = expected === 0 ? stdout : `${stdout}${stderr}`;
  assert.match(text, words, text);
  assert.equal(code, expected, text);
}
