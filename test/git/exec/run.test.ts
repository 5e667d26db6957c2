import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gitEnvironment } from '../../../src/git/exec/environment.ts';
import { isGitError } from '../../../src/git/exec/git-error.ts';
import { startHelper, stopHelper } from '../../../src/git/exec/helper.ts';
import { runGit } from '../../../src/git/exec/run.ts';
import { temporaryFolder } from '../../helpers/git.ts';
import { isAlive } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';

/** An alias makes git start a shell, which starts more: the process tree of a transport that hangs. */
function hanging(pidFile: string): readonly (readonly [string, string])[] {
  return [['alias.hang', `!sleep 1000 & echo $! > ${pidFile}; wait`]];
}

async function pidIn(path: string): Promise<number> {
  return Number(await until('the grandchild', () => readFile(path, 'utf8').catch(() => '')));
}

for (const by of ['the daemon', 'the helper'])
  describe(`started by ${by}`, () => {
    if (by === 'the helper') before(startHelper);
    after(stopHelper);

    test('a git that hangs is ended at the time limit, and its grandchildren with it', async () => {
      await using folder = await temporaryFolder();
      const pidFile = join(folder.path, 'pid');
      const running = runGit(['hang'], { config: hanging(pidFile), timeoutMs: 1500 });
      const failure = assert.rejects(running, (error) => isGitError(error, 'git-timeout'));
      const pid = await pidIn(pidFile);
      assert.ok(isAlive(pid));
      await failure;
      await until('the grandchild to be gone', () => !isAlive(pid));
    });

    test('an abort ends it as well', async () => {
      await using folder = await temporaryFolder();
      const pidFile = join(folder.path, 'pid');
      const stop = new AbortController();
      const running = runGit(['hang'], { config: hanging(pidFile), signal: stop.signal });
      const pid = await pidIn(pidFile);
      stop.abort();
      await assert.rejects(running, (error) => isGitError(error, 'git-aborted'));
      await until('the grandchild to be gone', () => !isAlive(pid));
      await assert.rejects(runGit(['version'], { signal: stop.signal }), (error) => isGitError(error, 'git-aborted'));
    });

    test('what fails once it runs is told, and ends it', async () => {
      await using folder = await temporaryFolder();
      const pids: number[] = [];
      const onStart = (pid: number): void => {
        pids.push(pid);
        throw new Error('the disk is full');
      };
      await assert.rejects(
        runGit(['hang'], { config: hanging(join(folder.path, 'pid')), onStart }),
        /the disk is full/,
      );
      await until('git to be gone', () => !isAlive(pids[0]!));
    });

    test('output without end is cut off', async () => {
      const running = runGit(['flood'], { config: [['alias.flood', '!yes']], maxOutputBytes: 100_000 });
      await assert.rejects(running, (error) => isGitError(error, 'git-output-too-large'));
    });

    test("a failure carries git's own words, and a missing git says so", async () => {
      await assert.rejects(
        runGit(['rev-parse', '--git-dir'], { gitDir: '/nowhere' }),
        /rev-parse: not a git repository: '\/nowhere'/,
      );
      const path = process.env['PATH'];
      try {
        process.env['PATH'] = '/nowhere';
        await assert.rejects(runGit(['version']), (error) => isGitError(error, 'git-missing'));
      } finally {
        process.env['PATH'] = path;
      }
    });

    test(
      'what takes too much memory is ended with its children',
      { skip: process.platform !== 'linux' && 'reads /proc' },
      async () => {
        const endless = 'x=0123456789abcdef; while :; do x=$x$x; sleep 0.05; done';
        const args = ['-c', `alias.grow=!sh -c '${endless}'`, 'grow'];
        const error = await runGit(args, { maxMemoryBytes: 64 * 1024 * 1024 }).catch((reason: unknown) => reason);
        assert.ok(isGitError(error, 'remote-too-large'), String(error));
      },
    );
  });

test('what can not be started is an answer, not the end of the daemon', async () => {
  await assert.rejects(runGit(['log', 'a\0b']), (error) => isGitError(error, 'git-failed'));
  // no file descriptors left: Node gives a child without streams
  const script = `
    const { openSync, closeSync } = await import('node:fs');
    const { runGit } = await import(${JSON.stringify(new URL('../../../src/git/exec/run.ts', import.meta.url).href)});
    const open = [];
    try { for (;;) open.push(openSync('/dev/null')); } catch {}
    const said = await runGit(['version']).catch((error) => error);
    open.forEach((each) => closeSync(each));
    const { stdout } = await runGit(['version']);
    console.log(JSON.stringify([said.code, said.message, stdout.toString().slice(0, 11)]));`;
  const limited = ['-c', 'ulimit -n 64 && exec "$0" --input-type=module -e "$1"', process.execPath, script];
  const { stdout, stderr } = spawnSync('sh', limited, { encoding: 'utf8', timeout: 20_000 });
  assert.equal(stdout, '["git-failed","git could not be started: spawn git EMFILE","git version"]\n', stderr);
});

test('nothing of GIT_* is inherited, but where the user keeps the config', () => {
  const inherited = {
    GIT_DIR: '/x',
    GIT_INDEX_FILE: 'x',
    GIT_CONFIG_PARAMETERS: 'x',
    GIT_SSH_COMMAND: 'x',
    GIT_CONFIG_GLOBAL: '/g',
    HOME: '/h',
  };
  const env = gitEnvironment(inherited, { gitDir: '/r', config: [['a.b', 'c']] });
  assert.equal(env['GIT_DIR'], '/r');
  assert.equal(env['GIT_CONFIG_GLOBAL'], '/g');
  assert.equal(env['HOME'], '/h');
  for (const name of ['GIT_INDEX_FILE', 'GIT_CONFIG_PARAMETERS', 'GIT_SSH_COMMAND']) assert.ok(!(name in env), name);
  const last = Number(env['GIT_CONFIG_COUNT']) - 1;
  assert.deepEqual([env[`GIT_CONFIG_KEY_${last}`], env[`GIT_CONFIG_VALUE_${last}`]], ['a.b', 'c']);
});
