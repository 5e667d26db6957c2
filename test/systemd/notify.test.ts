import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { TestContext } from 'node:test';
import test from 'node:test';
import { createNotifier, watchdogMs } from '../../src/systemd/notify.ts';

const timeout = 60_000;
const missing = ['systemd-notify', 'python3'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
const needs = { timeout, skip: missing.length > 0 ? `this machine has no ${missing.join(' and no ')}` : false };

/** A service manager's socket at `address`, and what arrives there. `$NOTIFY_SOCKET` names it until the test ends. */
async function listen(t: TestContext, address: string) {
  const child = spawn('python3', [path.join(import.meta.dirname, 'receiver.py'), address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const messages: string[] = [];
  const lines = createInterface(child.stdout);
  await new Promise((resolve) => lines.once('line', resolve));
  lines.on('line', (line) => messages.push((JSON.parse(line) as { message: string }).message));
  setEnvironment(t, { NOTIFY_SOCKET: address });
  return messages;
}

function setEnvironment(t: TestContext, values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) {
    const before = process.env[name];
    process.env[name] = value;
    t.after(() => {
      if (before === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before;
    });
  }
}

function socketPath(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'shardplane-notify-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return path.join(directory, 'notify');
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'waited 30 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function assertNoProblem(text: string): void {
  assert.fail(text);
}

for (const kind of ['path', 'abstract']) {
  test(`a service's life on a socket with a ${kind} address`, needs, async (t) => {
    const address = kind === 'path' ? socketPath(t) : `@shardplane-test-${process.pid}`;
    const messages = await listen(t, address);
    const notifier = createNotifier(assertNoProblem);
    notifier.status('abcdef012345 live, acked 2/2');
    notifier.ready();
    const before = process.hrtime.bigint() / 1000n;
    notifier.reloading();
    notifier.ready();
    await notifier.stopping();
    await until(() => messages.length === 4);
    assert.equal(messages[0], 'READY=1\nSTATUS=abcdef012345 live, acked 2/2');
    const [, monotonic] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(messages[1]!) ?? [];
    assert.ok(
      monotonic !== undefined && BigInt(monotonic) >= before && BigInt(monotonic) <= process.hrtime.bigint() / 1000n,
    );
    assert.deepEqual(messages.slice(2), ['READY=1', 'STOPPING=1']);
  });
}

test('of many statuses the newest arrives, on one line', needs, async (t) => {
  const messages = await listen(t, socketPath(t));
  const notifier = createNotifier(assertNoProblem);
  for (let acked = 0; acked <= 1000; acked += 1) notifier.status(`acked\n${acked}/1000`);
  await until(() => messages.includes('STATUS=acked 1000/1000'));
  assert.ok(messages.length <= 2, messages.join());
  await notifier.stopping();
});

test('the watchdog is fed once the service is ready, and not after its end has begun', needs, async (t) => {
  const messages = await listen(t, socketPath(t));
  setEnvironment(t, { WATCHDOG_USEC: '90000', WATCHDOG_PID: String(process.pid) });
  const notifier = createNotifier(assertNoProblem);
  notifier.status('waits for a first valid commit');
  await until(() => messages.length === 1);
  assert.deepEqual(messages, ['STATUS=waits for a first valid commit']);
  notifier.ready();
  await until(() => messages.filter((message) => message === 'WATCHDOG=1').length >= 3);
  await notifier.stopping();
  await until(() => messages.at(-1) === 'STOPPING=1');
});

test('a heartbeat is due three times within what the manager waits for, if it watches this process', () => {
  assert.equal(watchdogMs({ WATCHDOG_USEC: '30000000' }, 5), 10_000);
  assert.equal(watchdogMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '5' }, 5), 10_000);
  assert.equal(watchdogMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '6' }, 5), null);
  for (const nothing of [{}, { WATCHDOG_USEC: '0' }, { WATCHDOG_USEC: 'x' }])
    assert.equal(watchdogMs(nothing, 5), null);
});

test('without a service manager nothing is done', async (t) => {
  setEnvironment(t, { NOTIFY_SOCKET: '', PATH: '' });
  const notifier = createNotifier(assertNoProblem);
  notifier.ready();
  notifier.reloading();
  notifier.status('x');
  await notifier.stopping();
});

test(
  'a manager that does not listen, or a tool that is missing, is said once and stops nothing',
  { timeout },
  async (t) => {
    for (const PATH of [process.env.PATH ?? '', '/nonexistent']) {
      setEnvironment(t, { NOTIFY_SOCKET: socketPath(t), PATH });
      const problems: string[] = [];
      const notifier = createNotifier((text) => problems.push(text));
      notifier.ready();
      notifier.reloading();
      await notifier.stopping();
      assert.equal(problems.length, 1);
      assert.match(
        problems[0]!,
        /^the service manager can.t be told the state of this service: .+; is systemd-notify installed, and NotifyAccess=all set\?$/,
      );
    }
  },
);
