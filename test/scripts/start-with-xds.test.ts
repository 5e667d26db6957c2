import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { temporaryFolder } from '../helpers/git.ts';
import { assertNothingLeft, findProcess, freeOffset, signalGroup, startDemo } from './demo.ts';

const skip = skipWithout(newestEnvoy);

test('the demo shows every step, and leaves nothing behind', { skip }, async () => {
  await using folder = await temporaryFolder();
  const offset = await freeOffset();
  const demo = startDemo(['--step', '1', '--exit', '--port-offset', String(offset)], folder.path);
  assert.equal(await demo.exitCode, 0, demo.output());
  const configs = [...demo.output().matchAll(/^ {2}x-shard-config: (.*)$/gm)].map(([, config]) => config);
  assert.deepEqual(configs, ['2/8', '3/12', '4/12']);
  assert.equal([...demo.output().matchAll(/^ {2}commit ([0-9a-f]{12}) .*\n[^]*?^ {2}ACK {4}\1 /gm)].length, 3);
  assert.match(demo.output(), /All that was expected was seen/);
  await assertNothingLeft(demo, offset, folder.path);
});

test('what it says to type can be pasted at once, and shows the new values', { skip }, async () => {
  await using folder = await temporaryFolder();
  const offset = await freeOffset();
  const demo = startDemo(['--step', '600', '--port-offset', String(offset)], folder.path);
  await demo.sees('explain customer-C');
  const end = () => signalGroup(demo.group, 'SIGINT');
  const [, block = ''] = /change it yourself:\n([^]*?explain customer-C.*\n)/.exec(demo.output()) ?? [];
  const { stdout } = await promisify(execFile)('bash', ['-euc', block], { timeout: 30_000 }).finally(end);
  assert.match(stdout, /^x-shard-config: 5\/8\s*$/m);
  assert.match(stdout, /^head .*Revert "Give customer-C 5 hosts"/m);
  assert.equal(await demo.exitCode, 130, demo.output());
  await assertNothingLeft(demo, offset, folder.path);
});

test('Ctrl-C stops all that was started', { skip }, async () => {
  await using folder = await temporaryFolder();
  const offset = await freeOffset();
  const demo = startDemo(['--port-offset', String(offset)], folder.path);
  await demo.sees('change it yourself');
  signalGroup(demo.group, 'SIGINT'); // as a terminal does: to all of them
  assert.equal(await demo.exitCode, 130, demo.output());
  assert.doesNotMatch(demo.output(), /error:/);
  await assertNothingLeft(demo, offset, folder.path);
});

test('SIGTERM while it starts stops all that was started', { skip }, async () => {
  await using folder = await temporaryFolder();
  const offset = await freeOffset();
  const demo = startDemo(['--port-offset', String(offset)], folder.path);
  await demo.sees('shardplane serve');
  process.kill(demo.group, 'SIGTERM');
  assert.equal(await demo.exitCode, 143, demo.output());
  await assertNothingLeft(demo, offset, folder.path);
});

test('SIGTERM at the very beginning, too', { skip }, async () => {
  await using folder = await temporaryFolder();
  const offset = await freeOffset();
  const demo = startDemo(['--port-offset', String(offset)], folder.path);
  await demo.sees('Starting');
  process.kill(demo.group, 'SIGTERM');
  assert.equal(await demo.exitCode, 143, demo.output());
  await assertNothingLeft(demo, offset, folder.path);
});

test('a program that dies ends the demo with one line', { skip }, async () => {
  await using folder = await temporaryFolder();
  const offset = await freeOffset();
  const demo = startDemo(['--port-offset', String(offset)], folder.path);
  await demo.sees('shardplane serve');
  process.kill(await findProcess(demo.group, 'serve'), 'SIGKILL');
  assert.equal(await demo.exitCode, 1);
  assert.match(demo.output(), /^error: the daemon has ended: .*\n {2}hint: .*\n/m);
  await assertNothingLeft(demo, offset, folder.path);
});

test('a port in use is one clear line', async () => {
  await using folder = await temporaryFolder();
  const offset = await freeOffset();
  for (const [port, host] of [
    [18_000 + offset, '0.0.0.0'],
    [8_012 + offset, '127.0.0.1'],
  ] as const) {
    const server = createServer().listen(port, host);
    const demo = startDemo(['--port-offset', String(offset)], folder.path);
    assert.equal(await demo.exitCode, 1);
    server.close();
    assert.match(demo.output(), new RegExp(`^error: port ${port} is in use: .*127.0.0.1\n  hint: .*\n$`));
    await assertNothingLeft(demo, offset, folder.path);
  }
});

test('an Envoy that does not start is one clear line', async () => {
  await using folder = await temporaryFolder();
  await using elsewhere = await temporaryFolder();
  const envoy = join(elsewhere.path, 'envoy');
  const version = 'envoy  version: 0000/1.40.0/Clean/RELEASE/BoringSSL';
  await writeFile(
    envoy,
    `#!/bin/sh\n[ "$1" = --version ] && exec echo '${version}'\necho 'critical: no luck' >&2\nexit 1\n`,
  );
  await chmod(envoy, 0o755);
  const offset = await freeOffset();
  const demo = startDemo(['--port-offset', String(offset)], folder.path, { ENVOY_BIN: envoy });
  assert.equal(await demo.exitCode, 1);
  assert.match(demo.output(), /^error: Envoy has ended: critical: no luck\n {2}hint: .*\n/m);
  await assertNothingLeft(demo, offset, folder.path);
});

test('what cannot be run is said before anything is set up', async () => {
  await using folder = await temporaryFolder();
  for (const [args, words] of [
    [['--stop'], 'error: unknown option: --stop'],
    [['--step', 'soon'], 'error: --step takes seconds, not "soon"'],
    [['--step'], 'error: --step takes a number'],
    [['--rollout', '--step', '5'], 'error: --rollout has steps of its own: it takes no --step'],
  ] as const) {
    const demo = startDemo(args, folder.path);
    assert.equal(await demo.exitCode, 1);
    assert.equal(demo.output().split('\n')[0], words);
  }
  const noEnvoy = startDemo([], folder.path, { ENVOY_BIN: '/bin/false' });
  assert.equal(await noEnvoy.exitCode, 1);
  assert.match(noEnvoy.output(), /^error: ENVOY_BIN is \/bin\/false, which is no Envoy that starts\n {2}hint: .*\n$/);
});
