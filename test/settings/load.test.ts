import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SettingsError } from '../../src/settings/settings-error.ts';
import { loadSettings } from '../../src/settings/load.ts';
import { parseSettings as parseBytes } from '../../src/settings/parse-settings.ts';

const parseSettings = (text: string, name: string) => parseBytes(Buffer.from(text), name).file;

test('every setting has a default', () => {
  const settings = parseSettings('', 'settings');
  assert.deepEqual(settings.xds, {
    address: null,
    insecure: false,
    port: 18000,
    resource: 'runtime',
    ack_timeout: '30s',
    quorum: 0.5,
    keepalive: '20s',
    max_streams: 10000,
    max_streams_per_client: 1000,
    max_connection_age: '1d',
    tls: null,
  });
  assert.deepEqual(settings.http, {
    address: '127.0.0.1',
    port: 18080,
    hosts: [],
    webhooks: { github: null, gitlab: null, gitea: null, generic: null },
  });
  assert.deepEqual(settings.plan, { limits: { moved: null, twins: null, load: null } });
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
  ['xds:\n  prot: 1\n', /^f\.yaml:2:3: xds has no key "prot"$/, /^did you mean "port"\?$/],
  ['plan: {limits: {moved: 0.3}}\n', /^f\.yaml:1:24: plan\.limits\.moved must be .*, not 0\.3$/, /as in 30%/],
  ['plan: {limits: {twins: -1}}\n', /^f\.yaml:1:24: plan\.limits\.twins must be from 0 to 1000000, not -1$/, null],
  ['plan: {limits: {load: 0.5}}\n', /^f\.yaml:1:23: plan\.limits\.load must be from 1 to 1000, not 0\.5$/, null],
  ['plan: {limit: {}}\n', /^f\.yaml:1:8: plan has no key "limit"$/, /^did you mean "limits"\?$/],
  ['xds:\n  zzz: 1\n', /^f\.yaml:2:3: xds has no key "zzz"$/, /^known here: address, /],
  ['xds:\n  port: 70000\n', /^f\.yaml:2:9: xds\.port must be from 0 to 65535, not 70000$/, null],
  ['port: 1\n', /^f\.yaml:1:1: the file has no key "port"$/, /^it belongs under xds/],
  ['xds: {ack_timeout: 30}\n', /^f\.yaml:1:20: xds\.ack_timeout must be a string, not 30$/, /500ms, 30s/],
  ['xds: {ack_timeout: 30 s}\n', /^f\.yaml:1:20: xds\.ack_timeout is not of the required form: "30 s"$/, /500ms, 30s/],
  [
    'status: {provider: bitbucket, token_file: t, url: "http://x"}\n',
    /^f\.yaml:1:20: status\.provider must be "github", "gitlab" or "gitea", not "bitbucket"$/,
    null,
  ],
  ['repository: {remote: {ref: main}}\n', /^f\.yaml:1:\d+: repository\.remote lacks the key "url"$/, null],
  ['a: [1\n', /^f\.yaml:1:4: the \[ is never closed$/, /write \] where/],
  ['xds: {insecure: yes}\n', /^f\.yaml:1:17: yes is a string/, /write true/],
  ['xds: &a {}\nhttp: *a\n', /^f\.yaml:1:6: &a is an anchor/, null],
  ['xds: {}\nxds: {}\n', /^f\.yaml:2:1: "xds" is given twice, first on line 1$/, null],
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

test('all faults are told at once, each at its value', () => {
  const text = 'xds:\n  port: x\n  resource: "*"\nlog: {level: loud}\n';
  assert.throws(
    () => parseSettings(text, 'f.yaml'),
    (error) => {
      assert.ok(error instanceof SettingsError);
      assert.equal(error.faults?.source, text);
      const { diagnostics } = error.faults;
      assert.deepEqual(
        diagnostics.map(({ line, column }) => `${line}:${column}`),
        ['2:9', '4:14'],
      );
      return true;
    },
  );
  const rules = 'xds:\n  resource: "*"\n  ack_timeout: 0s\nrepository:\n  notes: push\n  verify:\n    mode: all\n';
  assert.throws(
    () => load(rules),
    (error) => {
      assert.ok(error instanceof SettingsError);
      assert.deepEqual(
        error.faults?.diagnostics.map(({ line, column, message }) => `${line}:${column} ${message.slice(0, 22)}`),
        [
          '2:13 xds.resource: * stands',
          '3:16 xds.ack_timeout: 0s is',
          '5:10 repository.notes: push',
          '7:11 repository.verify.mode',
        ],
      );
      return true;
    },
  );
});

test('verify.mode needs keys', () => {
  for (const mode of ['head', 'all'])
    assert.throws(() => load(`repository: {verify: {mode: ${mode}}}\n`), /verify\.mode: .* needs keys/);
  assert.equal(load('repository: {verify: {mode: all, gpg_keyring: k}}\n').settings.repository.verify.mode, 'all');
});

test('files that the daemon needs must be there when it starts, and only then', () => {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  try {
    const path = join(folder, 'shardplane.yaml');
    writeFileSync(join(folder, 'there'), '');
    const text = `http:
  webhooks: {github: none, gitlab: there, gitea: .}
xds:
  tls: {certificate: c, key: k}
status: {provider: github, token_file: t, url: "https://x"}
repository: {verify: {gpg_keyring: g}, remote: {url: "https://x", ssh_key: s}}
`;
    writeFileSync(path, text);
    assert.equal(loadSettings(path).status?.provider, 'github');
    const told = (overrides: { repository?: string }): string[] => {
      try {
        loadSettings(path, overrides, { files: true });
      } catch (error) {
        assert.ok(error instanceof SettingsError);
        return error.faults?.diagnostics.map(({ line, message }) => `${line} ${message.replaceAll(folder, '')}`) ?? [];
      }
      return [];
    };
    const all = [
      '2 http.webhooks.github: there is no file /none',
      '2 http.webhooks.gitea:  is a directory',
      '4 xds.tls.certificate: there is no file /c',
      '4 xds.tls.key: there is no file /k',
      '5 status.token_file: there is no file /t',
      '6 repository.verify.gpg_keyring: there is no file /g',
      '6 repository.remote.ssh_key: there is no file /s',
    ];
    assert.deepEqual(told({}), all);
    assert.deepEqual(told({ repository: folder }), all.slice(0, -1), 'a remote that is left out needs none');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a settings file that is named must exist', () => {
  assert.throws(() => loadSettings('/nowhere/shardplane.yaml'), /cannot read the settings \/nowhere\/shardplane\.yaml/);
});

function load(text: string, overrides: Parameters<typeof loadSettings>[1] = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  try {
    writeFileSync(join(folder, 'shardplane.yaml'), text);
    return { folder, settings: loadSettings(join(folder, 'shardplane.yaml'), overrides) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the state directory: the flag, then $STATE_DIRECTORY, then the settings', () => {
  const text = 'state: {directory: /var/lib/sp}\n';
  assert.equal(load(text).settings.state.directory, '/var/lib/sp');
  process.env['STATE_DIRECTORY'] = '/var/lib/a:/var/lib/b';
  assert.equal(load(text).settings.state.directory, '/var/lib/a');
  assert.equal(load(text, { state: '/flag' }).settings.state.directory, '/flag');
  process.env['STATE_DIRECTORY'] = '';
  assert.equal(load(text).settings.state.directory, '/var/lib/sp');
  delete process.env['STATE_DIRECTORY'];
});

const tls = '{certificate: a, key: b, client_ca: c}';
const addresses: readonly [xds: string, address: string | RegExp][] = [
  ['{}', '127.0.0.1'],
  ['{insecure: true}', '0.0.0.0'],
  [`{tls: ${tls}}`, '0.0.0.0'],
  ['{tls: {certificate: a, key: b}}', '127.0.0.1'],
  ['{address: "::1"}', '::1'],
  ['{address: 127.1.2.3}', '127.1.2.3'],
  ['{address: localhost}', 'localhost'],
  ['{address: "unix:/run/xds.sock"}', 'unix:/run/xds.sock'],
  ['{address: 10.0.0.1, insecure: true}', '10.0.0.1'],
  [`{address: "::", tls: ${tls}}`, '::'],
  ['{address: 0.0.0.0}', /:1:16: xds\.address 0\.0\.0\.0 is open to whoever reaches it/],
  ['{address: 127.example.com}', /: xds\.address 127\.example\.com is open/],
  ['{address: "::", tls: {certificate: a, key: b}}', /: xds\.address :: is open/],
];
for (const [xds, expected] of addresses) {
  test(`xds.address with ${xds}`, () => {
    const address = (): string => load(`xds: ${xds}\n`).settings.xds.address;
    if (typeof expected === 'string') return assert.equal(address(), expected);
    assert.throws(address, (error) => {
      assert.ok(error instanceof SettingsError);
      assert.match(error.message, expected);
      assert.match(error.hint ?? '', /xds\.tls with client_ca .*, or xds\.insecure: true/);
      return true;
    });
  });
}

test('xds.resource is a name, and xds.max_connection_age what a timer can count', () => {
  assert.throws(() => load("xds: {resource: '*'}\n"), /xds\.resource: \* stands for all resources/);
  assert.throws(() => load('xds: {max_connection_age: 21d}\n'), /xds\.max_connection_age: 21d is too long/);
  assert.equal(load('xds: {max_connection_age: 12h}\n').settings.xds.maxConnectionAgeMs, 12 * 3_600_000);
});

test('an interval is from 100 ms to 24 days', () => {
  for (const poll of ['0s', '99ms', '25d'])
    assert.throws(() => load(`repository: {poll: ${poll}}\n`), /is too short or too long for an interval/);
  assert.equal(load('repository: {poll: 24d}\n').settings.repository.pollMs, 24 * 86_400_000);
  assert.equal(load('state: {keep: 365d}\n').settings.state.keepMs, 365 * 86_400_000);
});

test('--ref is what is followed of a remote too; --repository leaves the remote out, with its defaults', () => {
  const text = 'repository: {remote: {url: "https://git.example/x", ref: main}}\n';
  const { repository } = load(text, { ref: 'release' }).settings;
  assert.equal(repository.remote?.ref, 'release');
  assert.equal(repository.ref, 'release');
  const local = load(text, { repository: '/r' }).settings.repository;
  assert.deepEqual([local.remote, local.ref, local.onRewrite, local.notes], [null, 'HEAD', 'follow', 'local']);
});

test(
  'settings that are there and cannot be read are not passed over',
  { skip: process.getuid?.() === 0 && 'root reads all' },
  () => {
    const { folder } = load('');
    mkdirSync(folder);
    writeFileSync(join(folder, 'shardplane.yaml'), '', { mode: 0 });
    const before = process.cwd();
    process.chdir(folder);
    try {
      assert.throws(() => loadSettings(null), /cannot read the settings shardplane\.yaml/);
    } finally {
      process.chdir(before);
      rmSync(folder, { recursive: true });
    }
  },
);

test('off is a value of its own, in no need of quotes; other words of YAML 1.1 are refused', () => {
  assert.equal(parseSettings('repository: {notes: off}', 'f').repository.notes, 'off');
  assert.throws(() => parseSettings('repository: {notes: no}', 'f'), /no is a string in YAML 1\.2, and false/);
});
