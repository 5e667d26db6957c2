import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CommandResult, Status } from '../../src/http/api.ts';
import { shardplane, startDaemon, type Ended, type TestDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';
import { file } from './support.ts';

const good = 'shuffle_sharding: {total_hosts: 8, default_shard_size: 2}\n';
const bad = 'shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 9\n';

/** One line of words, a hint at most, no stack; and nothing on stdout. */
function assertSays({ stdout, stderr }: Ended, words: RegExp): void {
  assert.match(stderr, words);
  assert.equal(stdout, '');
  assert.doesNotMatch(stderr, /^ +at |node:internal|undefined|\[object/m);
}

describe('the command line', () => {
  const stack = new AsyncDisposableStack();
  let repository: TestRepository;
  let folder: string;
  let daemon: TestDaemon;
  let sha: string;
  before(async () => {
    repository = stack.use(await makeRepository());
    folder = stack.use(await temporaryFolder()).path;
    sha = await repository.commit({ [file]: good }, 'first');
    daemon = stack.use(await startDaemon({ repository: repository.path, folder }));
    await daemon.waitForLive(sha);
  });
  after(() => stack.disposeAsync());

  const serve = (...args: string[]) => shardplane(['serve', '--repository', repository.path, ...args], { cwd: folder });

  test('serve: a second daemon on the state directory ends with 1, and the first goes on', async () => {
    const ended = await serve('--state', daemon.state, '--xds-port', '0', '--http-port', '0');
    assert.equal(ended.code, 1);
    assertSays(
      ended,
      /^error: another shardplane daemon uses this state directory \(.*\)\n {2}hint: stop it, or give this one a state directory of its own/,
    );
    assert.equal((await daemon.get('/readyz')).status, 200);
    assert.equal((await daemon.run('status')).code, 0);
  });

  test('serve: a port in use ends it with 1, naming the port and the setting', async () => {
    await using taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const port = String((taken.address() as AddressInfo).port);
    const xds = await serve('--state', join(folder, 'other'), '--xds-port', port, '--http-port', '0');
    assert.equal(xds.code, 1);
    assertSays(xds, new RegExp(`^error: the xDS address 127\\.0\\.0\\.1:${port} is in use: .*set xds\\.port$`, 'm'));
    const http = await serve(
      '--state',
      join(folder, 'other'),
      '--xds-port',
      '0',
      '--http-port',
      String(daemon.httpPort),
    );
    assert.equal(http.code, 1);
    assertSays(
      http,
      new RegExp(`^error: the HTTP address 127\\.0\\.0\\.1:${daemon.httpPort} is in use: .*set http\\.port$`, 'm'),
    );
  });

  test('serve: settings that cannot be used end it with 1, at file:line:column', async () => {
    const faults: [text: string, words: RegExp][] = [
      [
        'xds:\n  prt: 1\n  port: x\n',
        /^s\.yaml:2:3: error: xds has no key "prt" \[unknown-key\]\n +prt: 1\n +\^\n +hint: did you mean "port"\?\ns\.yaml:3:9: error: xds\.port must be an integer/,
      ],
      ['xds: [\n', /^s\.yaml:1:6: error: the \[ is never closed/],
      ['http: {webhooks: {github: none}}\n', /^s\.yaml:1:27: error: http\.webhooks\.github: there is no file .*none/],
      ['repository: {verify: {mode: all}}\n', /^s\.yaml:1:29: error: repository\.verify\.mode: all needs keys/],
      [
        'repository: {schema: none.json}\n',
        /^error: cannot use the schema .*none\.json: .*\n {2}hint: check repository\.schema/,
      ],
    ];
    for (const [text, words] of faults) {
      await writeFile(join(folder, 's.yaml'), text);
      const ended = await serve('--config', 's.yaml');
      assert.equal(ended.code, 1, text);
      assertSays(ended, words);
    }
    const none = await serve('--config', 'none.yaml');
    assert.equal(none.code, 1);
    assertSays(none, /^error: cannot read the settings none\.yaml: .*\n {2}hint: check the path given with --config/);
  });

  test('serve: a path that is no repository is a problem that is said, with what to do', async () => {
    await using other = await temporaryFolder();
    const place = join(other.path, 'plain');
    await mkdir(place);
    await using lost = await startDaemon({ repository: place, folder: other.path });
    const said = await lost.logged(/not.* a git repository/);
    assert.equal(said.level, 'error');
    assert.ok(said.msg.includes(place), said.msg);
    assert.match(said.hint ?? '', /repository\.path/);
    const refused = await lost.run('sync');
    assert.equal(refused.code, 1);
    assertSays(refused, /^error: .*git repository/);
  });

  test('usage errors are 2, and help is 0', async () => {
    const usages = [
      ['serve', '--what'],
      ['status', '--what'],
      ['check', '--what'],
      ['frobnicate'],
      ['retry'],
      ['retry', 'xyz'],
      ['history', 'xyz'],
      ['explain'],
      ['explain', 'a', 'b'],
      ['history', '--limit', '0'],
      ['history', '--since', 'soon'],
      ['history', '--outcome', 'lost'],
      ['serve', '--xds-port', '99999'],
    ];
    const end = async (args: string[]) => ({ args, ended: await shardplane(args) });
    for (const { args, ended } of await Promise.all(usages.map(end))) {
      assert.equal(ended.code, 2, args.join(' '));
      assertSays(ended, /^error: /);
    }
    const helps = [['--help'], ['serve', '--help'], ['--version']];
    for (const { ended } of await Promise.all(helps.map(end))) assert.equal(ended.code, 0);
    assert.equal((await shardplane([])).code, 2);
  });

  test('check: 0 valid, 1 invalid, 2 could not run', async () => {
    const valid = await shardplane(['check', '-'], { input: good });
    assert.deepEqual([valid.code, valid.stdout], [0, '-: valid\n']);
    await writeFile(join(folder, 'bad.yaml'), bad);
    const invalid = await shardplane(['check', 'bad.yaml'], { cwd: folder });
    assert.equal(invalid.code, 1);
    assertSays(invalid, /^bad\.yaml:3:23: error: .* \[shard-too-big\]\n {4}default_shard_size: 9\n {24}\^\n {2}hint: /);
    const json = await shardplane(['check', 'bad.yaml', '--json'], { cwd: folder });
    assert.equal(json.code, 1);
    const { valid: isValid, diagnostics } = JSON.parse(json.stdout) as {
      valid: boolean;
      diagnostics: { line: number }[];
    };
    assert.deepEqual([isValid, diagnostics.map(({ line }) => line)], [false, [3]]);
    for (const path of ['none.yaml', '.']) {
      const ended = await shardplane(['check', path], { cwd: folder });
      assert.equal(ended.code, 2);
      assertSays(ended, new RegExp(`^error: cannot read ${path.replace('.', '\\.')}`));
    }
    await writeFile(join(folder, 's.yaml'), 'xds: 1\n');
    assert.equal((await shardplane(['check', '--config', 's.yaml', '-'], { cwd: folder, input: good })).code, 2);
    assert.equal((await shardplane(['check'], { cwd: repository.path })).code, 0, 'the saved file, without a name');
  });

  test('with no daemon: each command says where it looked, and what to do', async () => {
    await using empty = await temporaryFolder();
    await writeFile(join(empty.path, 'shardplane.yaml'), 'http: {port: 1}\n');
    for (const args of [
      ['status'],
      ['status', '--json'],
      ['explain', 'a'],
      ['retry', sha],
      ['accept', sha],
      ['sync'],
    ]) {
      const ended = await shardplane(args, { cwd: empty.path });
      assert.equal(ended.code, 1, args.join(' '));
      assertSays(
        ended,
        new RegExp(`^error: no daemon answers at ${empty.path}/.shardplane/control\\.sock.*\\n {2}hint: `),
      );
    }
  });

  test('status: words, and the JSON that is a contract', async () => {
    const { code, stdout } = await daemon.run('status');
    assert.equal(code, 0);
    const short = sha.slice(0, 12);
    assert.match(
      stdout,
      new RegExp(
        `^repo {3}${repository.path} {2}HEAD:shard-config\\.yaml {2}\\(shardplane .*\\)\\nlive {3}${short} {2}first {2}\\(since .*, unproven\\)\\nhead {3}${short} {2}first {2}live\\nnodes {2}0 connected: `,
      ),
    );
    const status = await daemon.json<Status>('status');
    assert.equal(status.live!.version, sha);
    assert.equal(new Date(status.live!.since).toISOString(), status.live!.since);
    assert.deepEqual(status.head, { version: sha, subject: 'first', outcome: 'live', diagnostics: [] });
    assert.deepEqual(status.counts, { connected: 0, acked: 0, pending: 0, refusing: 0, unanswered: 0 });
    assert.deepEqual(status.nodes, []);
    const hostile = '\u001b[31mred\u0007\u202e';
    const next = await repository.commit({ [file]: good.replace('8', '9') }, hostile);
    await daemon.waitForLive(next);
    assert.doesNotMatch((await daemon.run('status')).stdout, /[^\P{Cc}\n]|\p{Cf}/u);
    assert.doesNotMatch((await daemon.run('history')).stdout, /[^\P{Cc}\n]|\p{Cf}/u);
    sha = next;
  });

  test('retry and accept: what there is nothing to do about is refused with 1', async () => {
    const refusals: [args: string[], words: RegExp][] = [
      [['retry', sha], new RegExp(`^error: no node refuses ${sha.slice(0, 12)}: there is nothing to retry`)],
      [['accept', sha], new RegExp(`^error: ${sha.slice(0, 12)} is not held`)],
      [
        ['retry', '0000'],
        /^error: retry works only on the newest revision, and 0000 is another\n {2}hint: the newest revision is /,
      ],
    ];
    for (const [args, words] of refusals) {
      const ended = await daemon.run(...args);
      assert.equal(ended.code, 1);
      assertSays(ended, words);
    }
    const result = await daemon.json<CommandResult>('retry', sha);
    assert.equal(result.ok, false);
    const unknown = await daemon.run('history', '0000');
    assert.equal(unknown.code, 1);
    assertSays(unknown, /^error: the ledger knows no commit 0000\n/);
    const synced = await daemon.run('sync');
    assert.equal(synced.code, 0);
    assert.match(synced.stdout, new RegExp(`^head {3}${sha.slice(0, 12)} .* live$`, 'm'));
  });

  test('history: each commit with its outcome, and the story of one', async () => {
    const invalid = await repository.commit({ [file]: bad }, 'too big');
    await daemon.waitFor('invalid', ({ head }) => head?.version === invalid && head.outcome === 'invalid');
    const [repo, header, ...list] = (await daemon.run('history')).stdout.trim().split('\n');
    assert.equal(repo, `repo   ${repository.path}  HEAD:shard-config.yaml`);
    assert.match(header!, /^COMMIT +OUTCOME +SEEN +ACKED +SUBJECT$/);
    assert.match(list[0]!, new RegExp(`^${invalid.slice(0, 12)} +invalid .* too big$`));
    assert.match(list[1]!, new RegExp(`^${sha.slice(0, 12)} +live now +.* 0 of 0 `));
    const only = await daemon.run('history', '--outcome', 'invalid');
    assert.equal(only.stdout.trim().split('\n').length, 3);
    const story = await daemon.run('history', invalid.slice(0, 7));
    assert.equal(story.code, 0);
    assert.match(story.stdout, new RegExp(invalid));
    assert.equal((await daemon.run('history', 'HEAD')).stdout, story.stdout);
    assert.equal((await daemon.run('history', invalid.toUpperCase())).stdout, story.stdout);
    assert.match(story.stdout, /shard-config\.yaml:3:23/);
  });
});
