import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';
import { until } from '../helpers/until.ts';

const root = path.join(import.meta.dirname, '..', '..');
const unit = path.join(root, 'config', 'shardplane.service');
const timeout = 120_000;

/** The assignments of the unit's [Service] section, in order. */
const service = /\[Service\]\n([\s\S]*?)\n\[/
  .exec(readFileSync(unit, 'utf8'))![1]!
  .split('\n')
  .filter((line) => /^[A-Z]/.test(line));

function run(command: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout });
  return { status, output: `${stdout}${stderr}`.trim() };
}

/** systemd's version, or 0 where there is no systemd-analyze. */
const version = Number(/^systemd (\d+)/.exec(run('systemd-analyze', ['--version']).output)?.[1] ?? 0);
const analyzed = { timeout, skip: version > 0 ? false : 'this machine has no systemd-analyze' };

test('the unit tells the manager by itself when it is ready, reloads and lives', () => {
  for (const line of [
    'Type=notify',
    'ExecReload=/bin/kill -HUP $MAINPID',
    'NotifyAccess=all',
    'WatchdogSec=30s',
    'DynamicUser=yes',
    'StateDirectory=shardplane',
  ]) {
    assert.ok(service.includes(line), line);
  }
});

test('systemd-analyze verify has nothing to say of the unit', analyzed, () => {
  const { status, output } = run('systemd-analyze', ['verify', unit]);
  assert.equal(output, '');
  assert.equal(status, 0);
});

test('systemd-analyze security calls the exposure 1.6 at most', analyzed, (t) => {
  const { output } = run('systemd-analyze', ['security', '--offline=yes', unit]);
  const [, exposure] = /Overall exposure level for shardplane\.service: ([\d.]+)/.exec(output) ?? [];
  assert.ok(Number(exposure) <= 1.6, output);
  t.diagnostic(`exposure ${exposure}`);
});

/** Why a service can't be run with the unit's settings here, or false. */
function cannotRun(): string | false {
  if (!existsSync('/run/systemd/system')) return 'systemd is not the init of this machine';
  if (process.geteuid?.() !== 0) return 'only root starts services';
  return /^\/(home|root|run\/user)\//.test(root) && 'the unit hides home directories, and this checkout is in one';
}

test(
  'under systemd, with all settings of the unit: ready, status, reload and stop',
  { timeout, skip: cannotRun() },
  async (t) => {
    const name = `shardplane-test-${process.pid}`;
    const settings = service.filter(
      (line) => !/^(ExecStart|StateDirectory|ConfigurationDirectory|Restart)=/.test(line),
    );
    const properties = [...settings, `StateDirectory=${name}`].flatMap((line) => ['-p', line]);
    const child = path.join(import.meta.dirname, 'children', 'service.ts');
    t.after(() => {
      run('systemctl', ['stop', name]);
      for (const directory of ['/var/lib/private', '/var/lib'])
        rmSync(path.join(directory, name), { recursive: true, force: true });
    });
    const show = (property: string) => run('systemctl', ['show', '-P', property, name]).output;

    const started = run('systemd-run', ['--unit', name, ...properties, process.execPath, child]);
    assert.equal(started.status, 0, `${started.output}\n${run('journalctl', ['-u', name, '-n', '20']).output}`);
    assert.equal(show('ActiveState'), 'active');
    assert.equal(show('StatusText'), 'ledger ok, 0 reloads');
    assert.equal(run('systemctl', ['reload', name]).status, 0);
    await until('it was reloaded', () => show('StatusText') === 'ledger ok, 1 reloads');
    assert.equal(run('systemctl', ['stop', name]).status, 0);
    assert.ok(['inactive', ''].includes(show('ActiveState')));
  },
);
