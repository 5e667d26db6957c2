import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { toMarkdown } from '../../src/cli/plan-markdown.ts';
import { formatPlan, type ShownPlan } from '../../src/cli/plan-text.ts';
import { strip } from '../../src/cli/plan-words.ts';
import type { ShardConfig } from '../../src/config/config.ts';
import type { PlanOptions } from '../../src/plan/plan-change.ts';
import type { ChangePlan } from '../../src/plan/plan.ts';
import { makeConfig } from '../helpers/config.ts';
import { shardplane } from '../helpers/daemon.ts';
import { git, makeRepository, type TestRepository } from '../helpers/git.ts';
import { customers, hosts, listed, plan as computed } from '../plan/support.ts';

const file = 'shard-config.yaml';

/** A config's text: hosts by their numbers, customers by their sizes. */
function text(numbers: readonly number[], sizes: Record<string, number> = {}, size = 2): string {
  return [
    'shuffle_sharding:',
    `  default_shard_size: ${size}`,
    ...(Object.keys(sizes).length > 0 ? ['  customer:'] : []),
    ...Object.entries(sizes).map(([id, shard]) => `    ${id}: {shard_size: ${shard}}`),
    `  hosts: [${numbers.map((number) => `10.0.0.${number}:80`).join(', ')}]`,
    '',
  ].join('\n');
}

const eight = [1, 2, 3, 4, 5, 6, 7, 8];
const three = { acme: 3, globex: 2, initech: 2 };

async function repositoryWith(content: string): Promise<TestRepository> {
  const repository = await makeRepository();
  await repository.commit({ [file]: content }, 'begin');
  return repository;
}

const planIn = (repository: TestRepository, ...args: string[]) =>
  shardplane(['plan', '--repository', repository.path, ...args], { cwd: repository.path });

const schema = JSON.parse(readFileSync(new URL('../../schemas/plan.schema.json', import.meta.url), 'utf8')) as object;
const validate = new Ajv({ allErrors: true, allowUnionTypes: true, strict: true }).compile(schema);

type Json = ChangePlan & { readonly from: { name: string; version: string } | null; readonly to: { name: string } };

async function jsonOf(repository: TestRepository, ...args: string[]): Promise<Json> {
  const { stdout, stderr } = await planIn(repository, '--json', ...args);
  assert.notEqual(stdout, '', stderr);
  const value: unknown = JSON.parse(stdout);
  assert.ok(validate(value), JSON.stringify(validate.errors));
  return value as Json;
}

test('a host added to 8, shards of 2: 22.2 % move, by the saved file against HEAD', async () => {
  await using repository = await repositoryWith(text(eight, three));
  await repository.write({ [file]: text([...eight, 9], three) });
  const { stdout, code } = await planIn(repository);
  assert.equal(code, 0);
  const sha = await repository.git('rev-parse', 'HEAD');
  const [head, verdict, because] = stdout.split('\n');
  assert.equal(head, `${file}: HEAD ${sha.slice(0, 12)} -> saved`);
  assert.equal(verdict, '1 of 3 named customers changes hosts, and 22.2 % of the others');
  assert.equal(because, 'because: 1 host added (8 -> 9)');
  assert.match(stdout, /2 hosts are down .* 3\.57 % -> 2\.78 %/);
  assert.match(stdout, /acme {2}\[1,2,5\] -> \[9,1,2\] {2}other hosts: -10\.0\.0\.5:80 \+10\.0\.0\.9:80/);
  const json = await jsonOf(repository);
  assert.ok(Math.abs(json.unnamed.formula!.moved - 2 / 9) < 1e-9);
  assert.deepEqual([json.from!.name, json.from!.version, json.to], ['HEAD', sha, { name: 'saved', version: null }]);
});

test('--detailed-exitcode: 0 when nothing changes, 2 when something does', async () => {
  await using repository = await repositoryWith(text(eight, three));
  const same = await planIn(repository, '--detailed-exitcode');
  assert.deepEqual([same.code, same.stdout.split('\n').slice(1)], [0, ['nothing changes', '']]);
  await repository.write({ [file]: `# a comment\n${text(eight, three)}` });
  assert.equal((await planIn(repository, '--detailed-exitcode')).code, 0);
  await repository.write({ [file]: text(eight, { acme: 3, initech: 2 }) });
  const removed = await planIn(repository, '--detailed-exitcode');
  assert.equal(removed.code, 2);
  assert.match(removed.stdout, /^no customer changes hosts\nbecause: globex removed$/m);
  assert.equal((await planIn(repository)).code, 0);
});

test('BASE..HEAD, BASE...HEAD, a file, and standard input', async () => {
  await using repository = await repositoryWith(text(eight, three));
  await repository.git('branch', 'topic');
  await repository.commit({ [file]: text(eight, three, 3) }, 'on main');
  await repository.git('checkout', '--quiet', 'topic');
  await repository.commit({ [file]: text([...eight, 9], three) }, 'on topic');
  const moved = async (...args: string[]): Promise<number> =>
    (await jsonOf(repository, ...args)).unnamed.formula!.moved;
  assert.equal(await moved('main..topic'), 1);
  assert.ok(Math.abs((await moved('main...topic')) - 2 / 9) < 1e-9);
  assert.ok(Math.abs((await moved('HEAD~1..')) - 2 / 9) < 1e-9);
  await repository.write({ 'draft.yaml': text(eight, three) });
  assert.ok(Math.abs((await moved('draft.yaml')) - 2 / 9) < 1e-9);
  const piped = await shardplane(['plan', '--json', '-'], { cwd: repository.path, input: text(eight, three, 3) });
  assert.equal((JSON.parse(piped.stdout) as Json).unnamed.formula!.moved, 1);
  const gone = await planIn(repository, 'nowhere..HEAD');
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /has no commit "nowhere"\n +hint: git log shows/);
});

test('with a remote in the settings, the clone that it is run in is meant', async () => {
  await using repository = await repositoryWith(text(eight, three));
  await repository.write({
    [file]: text([...eight, 9], three),
    's.yaml': 'repository: {remote: {url: "https://git.example/x"}}\n',
  });
  const there = await shardplane(['plan', '--config', join(repository.path, 's.yaml')], { cwd: repository.path });
  assert.equal(there.code, 0, there.stderr);
  assert.match(there.stdout, /because: 1 host added/);
});

test('the commit of a range asks for its strategy', async () => {
  await using repository = await repositoryWith(text(eight, three));
  await repository.commit({ [file]: text([...eight, 9], three) }, 'more\n\nShardplane-Rollout: customers');
  assert.deepEqual((await jsonOf(repository, 'HEAD~1..')).strategy, {
    name: 'customers',
    reason: 'the commit asks for it',
  });
});

test('the first config of all, and a bare repository', async () => {
  await using repository = await makeRepository();
  await repository.write({ [file]: text(eight, three) });
  const first = await planIn(repository, '--detailed-exitcode');
  assert.equal(first.code, 2);
  assert.match(first.stdout, /nothing -> saved\nthe first config: there is nothing to compare with\n/);
  assert.equal((await jsonOf(repository)).from, null);
  await using bare = await makeRepository({ bare: true });
  const { code, stderr } = await planIn(bare);
  assert.equal(code, 1);
  assert.match(stderr, /is a bare repository, and has no saved file\n +hint: name a FILE, or two commits/);
});

test('what is not valid is drawn, and exits with 1; so does a usage error', async () => {
  await using repository = await repositoryWith(text(eight, three));
  await repository.write({ [file]: text(eight, { acme: 9 }) });
  const wrong = await planIn(repository, '--detailed-exitcode');
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /^shard-config\.yaml:4:\d+: error: .*\nerror: the config of saved is not valid\n/s);
  await repository.commit({}, 'not valid');
  await repository.write({ [file]: text(eight, three) });
  const base = await planIn(repository);
  assert.equal(base.code, 1);
  assert.match(
    base.stderr,
    /the config of HEAD \([0-9a-f]{12}\) is not valid\n +hint: nothing can be compared with it; --live/,
  );
  assert.equal((await planIn(repository, '--nonsense')).code, 1);
  assert.equal((await planIn(repository, '--json', '--markdown')).code, 1);
});

function settingsOf(repository: TestRepository, limits: string): string {
  mkdirSync(join(repository.path, 'config'), { recursive: true });
  const path = join(repository.path, 'config', 'shardplane.yaml');
  writeFileSync(path, `repository: {path: .}\nplan: {limits: ${limits}}\n`);
  return path;
}

test('over a limit: plan and check exit with 3 and the numbers', async () => {
  await using repository = await repositoryWith(text(eight, three));
  const config = settingsOf(repository, '{moved: 20%}');
  await repository.write({ [file]: text([...eight, 9], three) });
  const words = '33.33 % of the named customers change hosts, more than 20 % (plan.limits.moved)';
  const over = await shardplane(['plan', '--config', config, '--detailed-exitcode']);
  assert.equal(over.code, 3);
  assert.ok(over.stdout.replaceAll('\n  ', ' ').includes(`OVER A LIMIT: ${words}`), over.stdout);
  const checked = await shardplane(['check', '--config', config]);
  assert.equal(checked.code, 3);
  assert.ok(checked.stderr.includes(`over a limit: ${words}\n  hint: make it in smaller steps`), checked.stderr);
  const { excesses } = JSON.parse((await shardplane(['check', '--config', config, '--json'])).stdout) as ChangePlan;
  assert.deepEqual(
    excesses.map(({ limit, value }) => [limit, value]),
    [['moved', 1 / 3]],
  );
  const kept = await shardplane(['plan', '--config', settingsOf(repository, '{moved: 40%, twins: 0, load: 2}')]);
  assert.equal(kept.code, 0);
  assert.match(kept.stdout, /^limits {5}kept: moved 40 %, twins 0, load 2$/m);
});

test('the hooks: a commit and a push over a limit are refused; the trailer lets a push through', async () => {
  await using repository = await repositoryWith(text(eight, three));
  await using server = await makeRepository({ bare: true });
  await repository.git('push', '--quiet', server.path, 'main');
  settingsOf(repository, '{moved: 20%}');
  writeFileSync(join(server.path, 'shardplane.yaml'), 'plan: {limits: {moved: 20%}}\n');
  for (const each of [repository, server])
    assert.equal((await shardplane(['hooks', 'install', '--repository', each.path])).code, 0);
  await repository.write({ [file]: text([...eight, 9], three) });
  await repository.git('add', file);
  await assert.rejects(repository.git('commit', '-m', 'more'), /over a limit: 33\.33 % of the named/);
  await repository.git('commit', '--quiet', '--no-verify', '-m', 'more');
  await assert.rejects(repository.git('push', server.path, 'main'), /over a limit: 33\.33 % of the named/);
  await repository.git('commit', '--quiet', '--no-verify', '--amend', '-m', 'more\n\nShardplane-Accept: yes');
  await repository.git('push', '--quiet', server.path, 'main');
  assert.equal(await git(server.path, ['rev-parse', 'main']), await repository.git('rev-parse', 'HEAD'));
});

const shown = (before: ShardConfig, after: ShardConfig, options: Partial<PlanOptions> = {}): ShownPlan => ({
  plan: computed(before, after, options),
  file,
  from: { name: 'HEAD', version: 'a'.repeat(40) },
  to: { name: 'saved', version: null },
  hosts: { before: before.hosts, after: after.hosts },
  limits: 'moved 1 %',
});

const long = new Map(Array.from({ length: 300 }, (_, i) => [`${i}-${'x'.repeat(200)}`, 5]));
const screens: readonly [name: string, before: ShardConfig, after: ShardConfig][] = [
  ['a host more', listed(hosts(8)), listed(hosts(9))],
  [
    'many customers',
    listed(hosts(50), { customers: customers(3000) }),
    listed(hosts(53), { customers: customers(3000, 4) }),
  ],
  [
    'long names, long lists',
    listed(hosts(40), { customers: long }),
    listed(hosts(40).toReversed(), { customers: new Map([...long.keys()].map((id) => [id, 30])) }),
  ],
  [
    'all at once',
    makeConfig({ customers: customers(9), drained: [1] }),
    listed(hosts(300), {
      defaultShardSize: 4,
      customers: new Map([...customers(4, 3), ...long]),
      runtime: new Map([['a.b', 1]]),
    }),
  ],
];
for (const [name, before, after] of screens)
  test(`the first screen has 25 lines of 80 columns at most: ${name}`, () => {
    const limits = { moved: 0.01, twins: 0, load: 1 };
    for (const options of [{}, { limits }]) {
      const lines = formatPlan(shown(before, after, options), { full: false, color: false }).split('\n');
      assert.ok(lines.length <= 25, `${lines.length}\n${lines.join('\n')}`);
      for (const line of lines) assert.ok(line.length <= 80, line);
      assert.match(lines[1]!, /change/);
    }
  });

test('what goes into quarantine: who is freed of it', () => {
  const before = listed(hosts(10), { customers: customers(50), quarantineHosts: 2 });
  const after = { ...before, quarantined: new Set(['customer-7']) };
  const screen = formatPlan(shown(before, after), { full: false, color: false });
  assert.match(screen, /^because: customer-7 into quarantine$/m);
  assert.match(screen, /^who shares a host with customer-7: \d+ named and 4\d(\.\d)? % of the others ->\s+nobody$/m);
});

test('--full lists each customer that moves, and each host', () => {
  const full = formatPlan(shown(...(screens[1]!.slice(1) as [ShardConfig, ShardConfig])), { full: true, color: false });
  assert.equal(full.match(/^ {2}customer-\d+ {2}\[/gm)?.length, 3000);
  assert.match(full, /^ {5}53 {2}- -> \d+$/m);
});

test('a strip has a character for each host, on one scale', () => {
  assert.equal(strip([0, 1, 4, 8], 8, 60), '·▁▄█');
  assert.equal(strip([1, 8, 2, 2], 8, 2), '█▂');
  assert.equal(strip([], 1, 10), '');
});

test('markdown: the summary first, 60,000 characters at most, and no name is more than text', () => {
  const sizes = new Map([['<b>|@all`*', 2], ...customers(5000)]);
  const markdown = toMarkdown(
    shown(
      listed(hosts(8), { customers: sizes }),
      listed(hosts(8), { customers: new Map([...sizes.keys()].map((id) => [id, 3])) }),
    ),
  );
  assert.ok(markdown.length <= 60_000 && markdown.length > 50_000, `${markdown.length}`);
  assert.match(markdown, /^### Plan of <code>shard-config.yaml<\/code>: all 5,001 named customers change hosts/);
  const listedRows = markdown.match(/^\| <code>/gm)!.length;
  assert.match(markdown, new RegExp(`^${5001 - listedRows} more are left out: .*\n\n</details>\n$`, 'm'));
  assert.ok(markdown.includes('| <code>&#60;b&#62;&#124;&#64;all&#96;&#42;</code> |'));
  assert.equal(toMarkdown(shown(makeConfig(), makeConfig())).includes('<details>'), false);
});
