import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allCommands, examplesOf } from '../../src/cli/help.ts';
import { toManPage } from '../../src/cli/man.ts';
import { createProgram } from '../../src/cli/program.ts';
import { shardplane } from '../helpers/daemon.ts';
import { temporaryFolder } from '../helpers/git.ts';

const program = createProgram();
const commands = allCommands(program);

test('each command has an example, of commands and flags that are there', () => {
  for (const command of commands) {
    const text = examplesOf(command).join(' ');
    assert.match(text, new RegExp(`shardplane (hooks |node )?${command.name()}`));
    const known = [command, ...command.commands].flatMap(({ options }) => options.map(({ long }) => long));
    for (const flag of text.match(/--[a-z-]+/g) ?? []) assert.ok(known.includes(flag), `${command.name()} ${flag}`);
  }
});

test('--help has the flags that matter to the command, and no others', async () => {
  const helpOf = async (...args: string[]) => (await shardplane([...args, '--help'])).stdout;
  assert.match(
    await helpOf('serve'),
    /--ref .*--xds-port .*--http-port .*--state [^]*\nExample:\n {2}shardplane serve/s,
  );
  const status = await helpOf('status');
  assert.match(status, /--http-port .*--state [^]*\nExample:\n {2}shardplane status\n/s);
  assert.doesNotMatch(status, /--xds-port|--ref|--file/);
  assert.doesNotMatch(await helpOf('retry'), /--xds-port|--http-port|--ref|--file/);
});

/** What bash offers for the last of these words, in a folder with a file. */
async function complete(...words: string[]): Promise<string[]> {
  await using folder = await temporaryFolder();
  writeFileSync(join(folder.path, 'some.yaml'), '');
  mkdirSync(join(folder.path, 'some-folder'));
  const script = `source <(printf %s "$SCRIPT"); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shardplane; printf '%s\n' "\${COMPREPLY[@]}"`;
  const env = { ...process.env, SCRIPT: (await shardplane(['completion', 'bash'])).stdout };
  const out = execFileSync('bash', ['-uc', script, 'bash', 'shardplane', ...words], { cwd: folder.path, env });
  return out.toString().split('\n').filter(Boolean).sort();
}

test('bash completes commands, flags, their values and files', async () => {
  assert.deepEqual(await complete('s'), ['schema', 'serve', 'status', 'sync']);
  assert.deepEqual(await complete('bootstrap', '--xds-c'), ['--xds-ca', '--xds-cert']);
  assert.deepEqual(await complete('bootstrap', '--mode', ''), ['clusters', 'hosts']);
  assert.deepEqual(await complete('check', 'so'), ['some-folder', 'some.yaml']);
  assert.deepEqual(await complete('serve', '--config', 'some.'), ['some.yaml']);
  assert.deepEqual(await complete('hooks', 'i'), ['install']);
  assert.deepEqual(await complete('completion', ''), ['--help', 'bash', 'fish', 'zsh']);
  assert.deepEqual(await complete('serve', '--xds-port', ''), []);
});

test('zsh and fish know each command, and each of its flags', async () => {
  for (const shell of ['zsh', 'fish']) {
    const { stdout, code } = await shardplane(['completion', shell]);
    assert.equal(code, 0);
    for (const command of program.commands) {
      assert.match(stdout, new RegExp(`\\b${command.name()}\\b`));
      for (const { long, hidden } of command.options)
        if (!hidden)
          assert.ok(stdout.includes(shell === 'fish' ? ` -l ${long?.slice(2)} ` : `'${long}[`), `${shell} ${long}`);
    }
  }
});

test('the manual page names each command and what its help does, and no line is taken for a macro', () => {
  const page = toManPage(program, '1.2.3');
  for (const command of commands) {
    assert.match(page, new RegExp(`^\\.SS (hooks |node )?${command.name()}`, 'm'));
    for (const { flags, hidden } of command.options)
      if (!hidden) assert.ok(page.includes(`.B ${flags.replaceAll('-', '\\-')}\n`), flags);
  }
  for (const line of page.split('\n').filter((each) => each.startsWith('.')))
    assert.match(line, /^\.(TH|SH|SS|TP|PP|B|BR|I|nf|fi|RS|RE)\b/);
});
