import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isGitError } from '../../../src/git/exec/git-error.ts';
import { startHelper, stopHelper } from '../../../src/git/exec/helper.ts';
import { runGit } from '../../../src/git/exec/run.ts';
import { temporaryFolder } from '../../helpers/git.ts';
import { isAlive } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';

describe('the helper', () => {
  beforeEach(startHelper);
  afterEach(stopHelper);

  it('starts git as a child of its own, and not of the daemon', async () => {
    const parent = await parentOfGit();
    assert.notEqual(parent, process.pid);
    assert.equal(await parentOfGit(), parent, 'the same one');
  });

  it('passes bytes as they are, in both directions, and what else there is to know', async () => {
    await using folder = await temporaryFolder();
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => at % 251));
    await runGit(['init', '-q', folder.path]);
    const gitDir = join(folder.path, '.git');
    const { stdout } = await runGit(['hash-object', '-w', '--stdin'], { gitDir, input: bytes });
    const read = await runGit(['cat-file', 'blob', stdout.toString().trim()], { gitDir });
    assert.ok(read.stdout.equals(bytes));
    const { exitCode } = await runGit(['config', 'no.such'], { gitDir, answers: [1] });
    assert.equal(exitCode, 1);
    const starts: number[] = [];
    await runGit(['version'], { onStart: (pid) => starts.push(pid) });
    assert.equal(starts.length, 1);
    const redacted = runGit(['no-such-command-here'], {
      redact: (text) => text.replace('no-such-command-here', '***'),
    });
    await assert.rejects(redacted, /'\*\*\*' is not a git command/);
  });

  it('is started again after it was killed; what it ran is killed too', async () => {
    await using folder = await temporaryFolder();
    const parent = await parentOfGit();
    const running = hang(join(folder.path, 'pid'));
    const failure = assert.rejects(
      running,
      (error) => isGitError(error, 'git-failed') && /has ended/.test(error.message),
    );
    const pid = await pidIn(join(folder.path, 'pid'));
    process.kill(parent, 'SIGKILL');
    await failure;
    await until('git to be gone', () => !isAlive(pid));
    assert.notEqual(await parentOfGit(), parent);
  });

  it('stays when a service manager stops the group, and ends when it is no longer needed', async () => {
    const parent = await parentOfGit();
    process.kill(parent, 'SIGTERM');
    process.kill(parent, 'SIGINT');
    assert.equal(await parentOfGit(), parent);
    stopHelper();
    await until('it to be gone', () => !isAlive(parent));
    assert.equal(await parentOfGit(), process.pid);
  });

  it('does not outlive a daemon that is killed, nor does git', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'pid');
    const url = (name: string): string =>
      JSON.stringify(new URL(`../../../src/git/exec/${name}`, import.meta.url).href);
    const script = `
      const { startHelper } = await import(${url('helper.ts')});
      const { runGit } = await import(${url('run.ts')});
      startHelper();
      const { stdout } = await runGit(['-c', 'alias.parent=!ps -o ppid= -p $PPID', 'parent']);
      console.log(stdout.toString().trim());
      await runGit(['-c', 'alias.hang=!sleep 1000 & echo $! > ${file}; wait', 'hang']);`;
    const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(daemon.stdout, 'data')) as [Buffer];
    const helper = Number(line);
    const git = await pidIn(file);
    assert.ok(isAlive(helper));
    daemon.kill('SIGKILL');
    await until('the helper to be gone', () => !isAlive(helper));
    await until('git to be gone', () => !isAlive(git));
  });

  it('does not keep a process alive that has nothing to do', async () => {
    const url = JSON.stringify(new URL('../../../src/git/exec/helper.ts', import.meta.url).href);
    const script = `const { startHelper } = await import(${url}); startHelper();`;
    const idle = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    const [code] = (await once(idle, 'exit')) as [number];
    assert.equal(code, 0);
  });
});

/** An alias is run by a shell that git starts: its grandparent started git. */
async function parentOfGit(): Promise<number> {
  const { stdout } = await runGit(['-c', 'alias.parent=!ps -o ppid= -p $PPID', 'parent']);
  return Number(stdout.toString());
}

function hang(file: string) {
  return runGit(['-c', `alias.hang=!sleep 1000 & echo $! > ${file}; wait`, 'hang']);
}

async function pidIn(path: string): Promise<number> {
  return Number(await until('git to run', () => readFile(path, 'utf8').catch(() => '')));
}
