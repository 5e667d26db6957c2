import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { git, makeRepository, temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const minute = 60_000;

/** An empty folder into which the packed tarball was installed. */
let app: Awaited<ReturnType<typeof temporaryFolder>>;
let packed: string[];

before(async () => {
  app = await temporaryFolder();
  const pack = ['pack', '--json', '--pack-destination', app.path];
  const { stdout } = await run('npm', pack, { cwd: root, timeout: 3 * minute });
  const [tarball] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [{ filename: string; files: { path: string }[] }];
  packed = tarball.files.map(({ path }) => path);
  await writeFile(join(app.path, 'package.json'), '{"private": true, "type": "module"}');
  const install = ['install', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball.filename}`];
  await run('npm', install, { cwd: app.path, timeout: 5 * minute });
});

after(() => app[Symbol.asyncDispose]());

/** The installed command, as `npx shardplane` finds it. */
function shardplane(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run('npx', ['--no-install', 'shardplane', ...args], { cwd: app.path, timeout: minute });
}

test('the package holds what it needs, and nothing else', () => {
  for (const path of [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'docs/design.md',
    'dist/index.d.ts',
    'dist/man/shardplane.1',
  ])
    assert.ok(packed.includes(path), path);
  const folders = new Set(packed.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));
  assert.deepEqual([...folders].sort(), ['config', 'dist', 'docs', 'envoy', 'protos', 'schemas']);
});

test('installed globally, man finds the page', { timeout: 5 * minute }, async () => {
  const prefix = join(app.path, 'prefix');
  const [tarball] = (await readdir(app.path)).filter((name) => name.endsWith('.tgz'));
  const install = [
    'install',
    '--global',
    '--prefix',
    prefix,
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    `./${tarball}`,
  ];
  await run('npm', install, { cwd: app.path, timeout: 4 * minute });
  assert.match(await readFile(join(prefix, 'share/man/man1/shardplane.1'), 'utf8'), /^\.SS serve$/m);
});

test('--version is the package’s', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.equal((await shardplane('--version')).stdout.trim(), version);
  assert.match((await shardplane('--help')).stdout, /serve .*\n[^]*bootstrap /);
});

test('check reads a config that is big enough for the thread', async () => {
  const customers = Array.from({ length: 1_000 }, (_, at) => `    customer-${at}: {shard_size: 3}\n`);
  const config = `shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2\n  customer:\n${customers.join('')}`;
  await writeFile(join(app.path, 'big.yaml'), config);
  assert.equal((await shardplane('check', 'big.yaml')).stdout.trim(), 'big.yaml: valid');
});

test('bootstrap prints the Lua filters', async () => {
  const where = ['--xds', '127.0.0.1:1', '--listen', '127.0.0.1:2', '--admin', 'a.sock', '--endpoints', '127.0.0.1:3'];
  const { stdout } = await shardplane('bootstrap', ...where);
  assert.match(stdout, /name: shardplane/);
  assert.match(stdout, /local function murmur3_32/);
});

test('serve runs in a repository, and status says what is live', { timeout: 2 * minute }, async () => {
  await using repository = await makeRepository();
  const config = await readFile(join(root, 'config/shard-config.example.yaml'), 'utf8');
  const head = await repository.commit({ 'shard-config.yaml': config });
  const command = join(app.path, 'node_modules/.bin/shardplane');
  const daemon = spawn(command, ['serve', '--xds-port', '0', '--http-port', '0'], { cwd: repository.path });
  try {
    let log = '';
    daemon.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    await until('the daemon listens', () => log.includes('xDS on') || daemon.exitCode !== null, minute);
    assert.equal(daemon.exitCode, null, log);
    const { stdout } = await run(command, ['status', '--json'], { cwd: repository.path, timeout: minute });
    assert.equal((JSON.parse(stdout) as { live: { version: string } }).live.version, head);
    assert.equal(await git(repository.path, ['status', '--porcelain']), '', 'the state is not offered to be committed');
  } finally {
    const gone = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await gone;
  }
});

const consumer = `
import { assignShard, compileRelease, compileSchema, explainShard, parseConfig, toFields } from 'shardplane';
import type { Diagnostic, Release, ShardConfig } from 'shardplane';
import schema from 'shardplane/schemas/shard-config.schema.json' with { type: 'json' };

const text = 'shuffle_sharding: {total_hosts: 8, default_shard_size: 2}';
const { config, diagnostics } = parseConfig(new TextEncoder().encode(text), { file: 'a', validate: compileSchema(null) });
const none: readonly Diagnostic[] = diagnostics;
if (config === null) throw new Error(none[0]?.message);
const known: ShardConfig = config;
const release: Release = compileRelease(known, { version: 'abc', subject: 'one' });
const slots: number[] = assignShard({ customer: 'customer-A', totalHosts: known.totalHosts, shardSize: 2 });
console.log(JSON.stringify([slots, [...toFields(release)], explainShard(known, 'customer-A').shardSize, schema.title]));
`;

test('the library can be imported, with its types', { timeout: 2 * minute }, async () => {
  await mkdir(join(app.path, 'types'), { recursive: true });
  await writeFile(join(app.path, 'types/consumer.ts'), consumer);
  const { stdout } = await run(process.execPath, ['types/consumer.ts'], { cwd: app.path, timeout: minute });
  const fields = [
    ['shuffle_sharding.total_hosts', 8],
    ['shuffle_sharding.default_shard_size', 2],
    ['shuffle_sharding.version', 'abc'],
  ];
  assert.deepEqual(JSON.parse(stdout), [[4, 7], fields, 2, 'shard-config.yaml']);
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--resolveJsonModule'];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const tsc = join(root, 'node_modules/.bin/tsc');
  await run(tsc, [...strict, ...types, '--ignoreConfig', 'types/consumer.ts'], { cwd: app.path, timeout: minute });
});
