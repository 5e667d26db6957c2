import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { gitProcessesOf, readProcesses } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';
import type { Status } from '../../src/http/api.ts';
import { versionOf, XdsClient } from '../xds/client.ts';
import { config, startRemoteScene, type RemoteScene } from './remote-scene.ts';
import { file } from './support.ts';

const hasProblem = (code: string, words: RegExp) => (status: Status) =>
  status.problems.some((problem) => problem.code.startsWith(code) && words.test(problem.message));
const hasNone = ({ problems }: Status) => problems.length === 0;

/** With what a URL must have percent-encoded, so that each form of it is looked for. */
const password = 's3cr/et p@ss';
const login = `bot:${encodeURIComponent(password)}`;

describe('a remote over http', () => {
  let scene: RemoteScene;
  const seenCommands = new Set<string>();
  let watch: NodeJS.Timeout;
  before(async () => {
    watch = setInterval(() => {
      void readProcesses('cmdline').then((all) => all.forEach((line) => seenCommands.add(line)));
    }, 250);
    scene = await startRemoteScene({ login });
    await scene.daemon.waitForLive(await scene.work.git('rev-parse', 'HEAD'));
  });
  afterEach(() => {
    scene.server.fault = null;
    scene.server.login = decodeURIComponent(login);
  });
  after(async () => {
    clearInterval(watch);
    await scene[Symbol.asyncDispose]();
  });

  test('a push goes live, and a node gets it', async () => {
    const { daemon } = scene;
    using node = new XdsClient(`127.0.0.1:${daemon.xdsPort}`);
    node.subscribe('node-1');
    await node.response(1);
    node.answer();
    const sha = await scene.push(2);
    assert.equal(versionOf(await node.response(2)), sha);
    node.answer();
    const status = await daemon.waitForLive(sha);
    assert.equal(status.live!.proven, true);
    assert.deepEqual(status.problems, []);
  });

  test('impact and a customer’s history read the mirror', async () => {
    const { daemon } = scene;
    const { version } = (await daemon.status()).live!;
    const found = await daemon.json<{ version: string; source: { kind: string } }>('impact', '--hosts', '1');
    assert.deepEqual([found.version, found.source.kind], [version, 'live']);
    const history = await daemon.run('history', '--customer', 'customer-A');
    assert.equal(history.code, 0, history.stderr);
    assert.match(history.stdout, /: the first that is known\n/);
    assert.doesNotMatch(history.stdout, /can’t be read/);
  });

  test('a force-push is held, with what to do, until it is accepted', async () => {
    const { daemon, work } = scene;
    const before = (await daemon.status()).live!.version;
    await work.git('reset', '--quiet', '--hard', 'HEAD~1');
    const sha = await scene.push(3, '--force');
    const status = await daemon.waitFor('held', ({ head }) => head?.version === sha && head.outcome === 'held');
    assert.equal(status.live!.version, before);
    assert.match(
      status.head!.diagnostics[0]!.message,
      new RegExp(`^held: main was force-pushed from ${before.slice(0, 12)} to ${sha.slice(0, 12)}$`),
    );
    assert.match(status.head!.diagnostics[0]!.hint!, new RegExp(`shardplane accept ${sha.slice(0, 12)}`));
    assert.match((await daemon.get('/metrics')).body, /^shardplane_head_held 1$/m);

    await daemon.restart();
    const again = await daemon.waitFor('still held', ({ head }) => head?.version === sha && head.outcome === 'held');
    assert.equal(again.live!.version, before);

    const accepted = await daemon.run('accept', sha.slice(0, 12));
    assert.deepEqual([accepted.code, accepted.stderr], [0, '']);
    await daemon.waitForLive(sha);
    assert.match((await daemon.get('/metrics')).body, /^shardplane_head_held 0$/m);
    const [entry] = await daemon.history();
    assert.deepEqual([entry!.version, entry!.outcome, entry!.held], [sha, 'live', false]);
  });

  test('a rewind is held; pushing the newer commit again ends that', async () => {
    const { daemon, work } = scene;
    await daemon.waitForLive(await scene.push(4));
    const sha = await scene.push(5);
    await daemon.waitForLive(sha);
    await work.git('push', '--quiet', '--force', 'origin', 'HEAD~1:main');
    const held = await daemon.waitFor('held', ({ head }) => head?.outcome === 'held');
    assert.match(held.head!.diagnostics[0]!.message, /main was rewound from/);
    assert.equal(held.live!.version, sha);
    await work.git('push', '--quiet', 'origin', 'HEAD:main');
    await daemon.waitForLive(sha);
  });

  test('a deleted branch leaves what is live; made again where it was, it goes on', async () => {
    const { daemon, bare, work } = scene;
    const live = (await daemon.status()).live!.version;
    await bare.git('update-ref', '-d', 'refs/heads/main');
    const gone = await daemon.waitFor('no ref', hasProblem('ref', /main/));
    assert.deepEqual([gone.live!.version, gone.head], [live, null]);
    await work.git('push', '--quiet', 'origin', 'HEAD:main');
    await daemon.waitFor('the ref is back', hasNone);
    await daemon.waitForLive(live);
    await daemon.waitForLive(await scene.push(50));
  });

  test('a branch that comes back with another history is held', async () => {
    const { daemon, bare, work } = scene;
    const live = (await daemon.status()).live!.version;
    await bare.git('update-ref', '-d', 'refs/heads/main');
    await daemon.waitFor('no ref', hasProblem('ref', /main/));
    await work.git('checkout', '--quiet', '--orphan', 'unrelated');
    const sha = await scene.push(6);
    const held = await daemon.waitFor('held', ({ head }) => head?.version === sha && head.outcome === 'held');
    assert.equal(held.live!.version, live);
    assert.equal((await daemon.run('accept', sha)).code, 0);
    await daemon.waitForLive(sha);
  });

  test('a server that is down, hangs or answers garbage: said, nothing lost, over by itself', async () => {
    const { daemon, server } = scene;
    const live = (await daemon.status()).live!.version;
    const faults: [RegExp, typeof server.fault][] = [
      [/503/, (_request, response) => response.writeHead(503).end()],
      [/gave no answer in 2000 ms/, () => undefined],
      [/not (from )?a git server|not valid/, (_request, response) => response.end('<html>Log in!</html>')],
      [/./, (request) => request.socket.destroy()],
    ];
    for (const [words, fault] of faults) {
      server.fault = fault;
      const status = await daemon.waitFor(`trouble: ${String(words)}`, hasProblem('remote', words), 20_000);
      assert.equal(status.live!.version, live);
      assert.equal(status.head!.outcome, 'live');
      assert.equal((await daemon.get('/readyz')).status, 200);
      assert.match((await daemon.get('/metrics')).body, /^shardplane_problem\{code="remote"\} 1$/m);
      server.fault = null;
      await daemon.waitFor('recovered', hasNone, 20_000);
    }
    await until(
      'no git is left behind',
      async () => (await gitProcessesOf(join(daemon.state, 'mirror.git'))).length < 2,
    );
    await daemon.waitForLive(await scene.push(7), 20_000);
  });

  test('a wrong password is said without it', async () => {
    const { daemon, server } = scene;
    server.login = 'bot:another';
    const status = await daemon.waitFor('denied', hasProblem('remote', /Authentication failed/));
    assert.match(status.problems[0]!.hint!, /credentials_file/);
    server.login = decodeURIComponent(login);
    await daemon.waitFor('recovered', hasNone, 20_000);
  });

  test('an invalid commit is told and not pushed; the next good one goes live', async () => {
    const { daemon, work } = scene;
    const live = (await daemon.status()).live!.version;
    const broken = await work.commit({ [file]: config(8).replace(': 2', ': two') }, 'broken');
    await work.git('push', '--quiet', 'origin', 'HEAD:main');
    const status = await daemon.waitFor(
      'invalid',
      ({ head }) => head?.version === broken && head.outcome === 'invalid',
    );
    assert.equal(status.live!.version, live);
    assert.equal(status.head!.diagnostics[0]!.line, 3);
    await daemon.waitForLive(await scene.push(8));
  });

  test('restarted while the remote is away, a node gets the last live release at once', async () => {
    const { daemon, server } = scene;
    const live = (await daemon.status()).live!.version;
    for (const fault of [() => undefined, ({ socket }) => socket.destroy()] as (typeof server.fault)[]) {
      server.fault = fault;
      await daemon.restart();
      const listening = Date.now();
      using node = new XdsClient(`127.0.0.1:${daemon.xdsPort}`);
      node.subscribe('node-1');
      assert.equal(versionOf(await node.response(1)), live);
      const took = Date.now() - listening;
      assert.ok(took < 1_000, `${took} ms after the daemon listened`);
      assert.equal((await daemon.get('/readyz')).status, 200);
    }
    server.fault = null;
    await daemon.waitForLive(await scene.push(9), 20_000);
  });

  test('the mirror is damaged or gone: made anew, and nothing is lost', async () => {
    const { daemon } = scene;
    await rm(join(daemon.state, 'mirror.git', 'objects'), { recursive: true });
    await daemon.waitForLive(await scene.push(10), 20_000);
    await rm(join(daemon.state, 'mirror.git'), { recursive: true });
    await daemon.waitForLive(await scene.push(11), 20_000);
    await daemon.waitFor('recovered', hasNone, 20_000);
  });

  test('docs/operating.md names every metric, and no other', async () => {
    const { body } = await scene.daemon.get('/metrics');
    const known = [...body.matchAll(/^# TYPE (shardplane_\S+)/gm)].map(([, name]) => name).sort();
    const text = await readFile(new URL('../../docs/operating.md', import.meta.url), 'utf8');
    const named = [...text.matchAll(/^\| `(shardplane_[a-z_]+)` \|/gm)].map(([, name]) => name).sort();
    assert.deepEqual(named, known);
  });

  // the last: it looks at all that the others have left
  test('the password is nowhere', async () => {
    const { daemon } = scene;
    const outputs = [
      ['log', JSON.stringify(daemon.log())],
      ['status', JSON.stringify(await daemon.status())],
      ['status in words', (await daemon.run('status')).stdout],
      ['history', JSON.stringify(await daemon.history())],
      ['metrics', (await daemon.get('/metrics')).body],
      ['ready', (await daemon.get('/readyz')).body],
      ['command lines', [...seenCommands].join('\n')],
      ...(await stateFiles(daemon.state)),
    ] as const;
    assert.ok([...seenCommands].some((line) => line.includes('fetch\0') && line.includes('/config.git')));
    const pair = Buffer.from(`bot:${password}`).toString('base64');
    const forms = [password, encodeURIComponent(password), encodeURIComponent(password).toLowerCase(), 's3cr', pair];
    for (const [where, text] of outputs) {
      assert.notEqual(text, '', where);
      for (const form of forms) assert.ok(!text.includes(form), `${form} is in the ${where}`);
    }
  });
});

test('an empty repository, then one without the ref, then without the file: it waits, and takes what comes', async () => {
  await using scene = await startRemoteScene({ first: 0 });
  const { daemon, work } = scene;
  const empty = await daemon.waitFor('no ref', hasProblem('ref', /main/));
  assert.deepEqual([empty.live, empty.head], [null, null]);
  assert.equal((await daemon.get('/readyz')).status, 503);
  using node = new XdsClient(`127.0.0.1:${daemon.xdsPort}`);
  node.subscribe('node-1');
  const nothing = await node.response(1);
  node.answer();

  await work.commit({ 'README.md': 'hello' }, 'no config yet');
  await work.git('push', '--quiet', 'origin', 'HEAD:refs/heads/other');
  const looks = scene.server.requests.length;
  await until('it has looked', () => scene.server.requests.length > looks + 4);
  await daemon.waitFor('no ref yet', hasProblem('ref', /main/));
  await work.git('push', '--quiet', 'origin', 'HEAD:main');
  await daemon.waitFor('no file', hasProblem('file', /no commit of main has shard-config.yaml/));
  const sha = await scene.push(1);
  const first = await node.response(2);
  assert.deepEqual([versionOf(first), versionOf(nothing) === sha], [sha, false]);
  node.answer();
  await daemon.waitForLive(sha);
  await daemon.waitFor('all is well', hasNone);
  assert.equal((await daemon.get('/readyz')).status, 200);
});

test('credentials from a file are read anew at each fetch, and show nowhere', async () => {
  await using scene = await startRemoteScene({
    remote: { credentials_file: 'git-credentials' },
    files: { 'git-credentials': '' },
    first: 1,
  });
  const { daemon, server, folder } = scene;
  await rm(join(folder, 'git-credentials'));
  await daemon.waitFor('the file is missing', hasProblem('remote', /git-credentials is not there/));
  const write = (secret: string) =>
    writeFile(join(folder, 'git-credentials'), `http://bot:${secret}@127.0.0.1:${server.port}\n`);
  server.login = 'bot:first-s3cret';
  await write('wrong-s3cret');
  await daemon.waitFor('denied', hasProblem('remote', /Authentication failed/), 20_000);
  await write('first-s3cret');
  await daemon.waitForLive(await scene.push(2), 20_000);
  server.login = 'bot:second-s3cret';
  await daemon.waitFor('denied', hasProblem('remote', /Authentication failed/), 20_000);
  await write('second-s3cret');
  await daemon.waitForLive(await scene.push(3), 20_000);
  const told = `${JSON.stringify(daemon.log())}${JSON.stringify(await daemon.status())}`;
  assert.doesNotMatch(told, /s3cret/);
});

/** What the daemon keeps, as text; the settings file, which has the URL, lies elsewhere. */
async function stateFiles(state: string): Promise<[string, string][]> {
  const names = ['ledger.sqlite', 'ledger.sqlite-wal', 'mirror.git/config'];
  assert.ok((await readdir(state)).includes('ledger.sqlite'));
  return Promise.all(
    names.map(async (name) => [name, await readFile(join(state, name), 'latin1')] as [string, string]),
  );
}
