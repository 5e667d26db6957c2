import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SettingsError } from '../../src/settings/error.ts';
import { loadSettings, parseSettings } from '../../src/settings/load.ts';

test('every setting has a default', () => {
  const settings = parseSettings('', 'settings');
  assert.deepEqual(settings.xds, {
    address: '0.0.0.0',
    port: 18000,
    resource: 'runtime',
    ack_timeout: '30s',
    keepalive: '20s',
    max_streams: 10000,
    tls: null,
  });
  assert.deepEqual(settings.http, {
    address: '127.0.0.1',
    port: 18080,
    webhooks: { github: null, gitlab: null, gitea: null, generic: null },
  });
  assert.equal(settings.repository.file, 'shard-config.yaml');
  assert.equal(settings.repository.remote, null);
});

test('paths are relative to the folder of the settings, or the one above config/', () => {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  mkdirSync(join(folder, 'config'));
  const text =
    'repository: {path: repo, schema: my.json, remote: {url: "https://git.example/x", ref: prod, timeout: 1.5s}}\nstate: {directory: var}\n';
  writeFileSync(join(folder, 'config', 'shardplane.yaml'), text);
  const settings = loadSettings(join(folder, 'config', 'shardplane.yaml'), { xdsPort: 0 });
  assert.equal(settings.repository.path, join(folder, 'repo'));
  assert.equal(settings.repository.schema, join(folder, 'my.json'));
  assert.equal(settings.repository.remote?.timeoutMs, 1500);
  assert.equal(settings.repository.ref, 'prod');
  assert.equal(settings.repository.onRewrite, 'hold');
  assert.equal(settings.repository.notes, 'off');
  assert.equal(settings.state.directory, join(folder, 'var'));
  assert.equal(settings.xds.port, 0);
  assert.equal(loadSettings(join(folder, 'config', 'shardplane.yaml'), { repository: folder }).repository.remote, null);
  rmSync(folder, { recursive: true });
});

const faults: readonly [text: string, words: RegExp, hint: RegExp | null][] = [
  ['xds:\n  prot: 1\n', /^f\.yaml:2:3: unknown setting xds\.prot$/, /docs\/settings\.md|known here/],
  ['xds:\n  port: 70000\n', /^f\.yaml:2:3: xds\.port must be <= 65535$/, null],
  ['xds: {ack_timeout: 30}\n', /^f\.yaml:1:7: xds\.ack_timeout must be string$/, null],
  ['xds: {ack_timeout: 30 s}\n', /^f\.yaml:1:7: xds\.ack_timeout must be a duration such as 30s/, null],
  [
    'status: {provider: bitbucket, token_file: t, url: "http://x"}\n',
    /status\.provider .*: github, gitlab, gitea$/,
    null,
  ],
  ['repository: {remote: {ref: main}}\n', /repository\.remote must have required property 'url'/, null],
  ['a: [1\n', /^f\.yaml:2:1: /, null],
];
for (const [text, words, hint] of faults) {
  test(`settings refused: ${text.trim().replaceAll('\n', ' ')}`, () => {
    assert.throws(
      () => parseSettings(text, 'f.yaml'),
      (error) => {
        assert.ok(error instanceof SettingsError);
        assert.match(error.message, words);
        if (hint) assert.match(error.hint ?? '', hint);
        return true;
      },
    );
  });
}

test('a settings file that is named must exist', () => {
  assert.throws(() => loadSettings('/nowhere/shardplane.yaml'), /cannot read the settings \/nowhere\/shardplane\.yaml/);
});
