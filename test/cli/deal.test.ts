import assert from 'node:assert/strict';
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { replaceFile } from '../../src/cli/config-file.ts';
import { shardOf } from '../../src/shard/shard-of.ts';
import { parse } from '../config/support.ts';
import { shardplane } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';

/** 12 hosts, 3 each: some of 40 share all. */
const fleet = (count = 40, total = 12) => `# fleet
shuffle_sharding:
  total_hosts: ${total}
  default_shard_size: 2
  customer:
${Array.from({ length: count }, (_, i) => (i % 2 === 0 ? `    c${i}: {shard_size: 3} # ${i}\n` : `    c${i}:\n      shard_size: 3\n`)).join('')}`;

/** Pairs of the file's customers that share more than `most` hosts. */
function pairsOf(text: string, most: number): number {
  const { config } = parse(text);
  const shards = [...config!.customers.keys()].map((id) => new Set(shardOf(config!, id)));
  return shards.flatMap((a, i) => shards.slice(0, i).filter((b) => a.intersection(b).size > most)).length;
}

interface Told {
  readonly pairs: number;
  readonly deals: readonly { customer: string; deal: number }[];
  readonly written: boolean;
  readonly pairsLeft: number;
}

test('it says what it would do, then writes it: the deals alone, and git is left alone', async () => {
  await using repository = await makeRepository();
  const file = join(repository.path, 'shard-config.yaml');
  await repository.commit({ 'shard-config.yaml': fleet() });
  chmodSync(file, 0o640);
  const pairs = pairsOf(fleet(), 2);
  assert.ok(pairs > 1);
  const asked = await shardplane(['deal', '--repository', repository.path]);
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stdout, new RegExp(`^of 40 named customers, ${pairs} pairs share all their hosts\n`));
  assert.match(asked.stdout, /\d customers dealt anew would leave none:\n {2}c\d+: deal \d\n[^]*--write does it\n$/);
  assert.equal(readFileSync(file, 'utf8'), fleet());

  const done = await shardplane(['deal', '--repository', repository.path, '--write', '--json']);
  const told = JSON.parse(done.stdout) as Told;
  assert.deepEqual([done.code, told.written, told.pairs, told.pairsLeft], [0, true, pairs, 0]);
  const text = readFileSync(file, 'utf8');
  assert.equal(pairsOf(text, 2), 0);
  assert.equal(text.replaceAll(/, deal: \d+|\n {6}deal: \d+/g, ''), fleet());
  assert.equal(statSync(file).mode & 0o7777, 0o640);
  assert.deepEqual(readdirSync(repository.path).sort(), ['.git', 'shard-config.yaml']);
  assert.equal(await repository.git('status', '--porcelain'), 'M shard-config.yaml');

  const again = await shardplane(['deal', file, '--write']);
  assert.match(again.stdout, /^of 40 named customers, 0 pairs share all their hosts\nnothing to deal anew\n$/);
  assert.equal(readFileSync(file, 'utf8'), text);
});

test('of a customer that is not committed yet and one that is, the new one is dealt anew', async () => {
  await using repository = await makeRepository();
  const file = join(repository.path, 'shard-config.yaml');
  await repository.commit({ 'shard-config.yaml': fleet() });
  await shardplane(['deal', file, '--write']);
  await repository.git('commit', '-aqm', 'deal');
  // each in front of the others
  const text = readFileSync(file, 'utf8');
  const added = Array.from({ length: 30 }, (_, i) => `    new-${i}: {shard_size: 3}\n`).join('');
  writeFileSync(file, text.replace('  customer:\n', `  customer:\n${added}`));
  const { deals } = JSON.parse((await shardplane(['deal', file, '--json'])).stdout) as Told;
  assert.ok(deals.length > 2);
  assert.ok(
    deals.every(({ customer }) => customer.startsWith('new-')),
    JSON.stringify(deals),
  );
});

test('a bound that is out of reach: the pairs, why, exit 1, and nothing is written', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'c.yaml');
  writeFileSync(file, fleet());
  for (const flags of [[], ['--write']]) {
    const { code, stdout, stderr } = await shardplane(['deal', file, '--overlap', '0', ...flags]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /share more than 0 hosts\nof these would be left:\n {2}c\d+ and c\d+: \d hosts?\n[^]*\n {2}and [\d,]+ more pairs\n$/,
    );
    assert.match(
      stderr,
      /no deals can reach an overlap of 0: their shards hold 120 hosts, .* and there are 12\n.*nothing was/,
    );
  }
  assert.equal(readFileSync(file, 'utf8'), fleet());
  const { code, stdout } = await shardplane(['deal', file, '--overlap', '0', '--json']);
  const told = JSON.parse(stdout) as Told;
  assert.deepEqual([code, told.written, told.pairsLeft > 20], [1, false, true]);
});

test('--overlap bounds what two may share', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'c.yaml');
  writeFileSync(file, fleet(30, 40));
  assert.ok(pairsOf(fleet(30, 40), 1) > 0);
  assert.equal((await shardplane(['deal', file, '--overlap', '1', '--write'])).code, 0);
  assert.equal(pairsOf(readFileSync(file, 'utf8'), 1), 0);
});

test('of a symbolic link, what it points to is written', async () => {
  await using folder = await temporaryFolder();
  const [file, link] = [join(folder.path, 'c.yaml'), join(folder.path, 'link.yaml')];
  writeFileSync(file, fleet());
  symlinkSync('c.yaml', link);
  assert.equal((await shardplane(['deal', link, '--write'])).code, 0);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.match(readFileSync(file, 'utf8'), /deal: 1/);
});

test('below a folder of the repository, the config is found at its top, as check and plan find it', async () => {
  await using repository = await makeRepository();
  await repository.commit({ 'shard-config.yaml': fleet(), 'docs/a.md': '' });
  const cwd = join(repository.path, 'docs');
  for (const command of ['check', 'plan', 'deal']) {
    const { code, stderr } = await shardplane([command], { cwd });
    assert.equal(code, 0, `${command}: ${stderr}`);
  }
});

test('a file that is not valid, not there, or not a bound', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'c.yaml');
  writeFileSync(file, 'shuffle_sharding: {total_hosts: 0}\n');
  const invalid = await shardplane(['deal', file, '--write']);
  assert.equal(invalid.code, 1);
  assert.match(invalid.stderr, /c\.yaml:1:33: error: .*\n[^]*is not valid\n/);
  assert.equal((await shardplane(['deal', join(folder.path, 'none.yaml')])).code, 2);
  for (const overlap of ['-1', 'two', '1024'])
    assert.equal((await shardplane(['deal', file, '--overlap', overlap])).code, 2);
});

test('a file that is written meanwhile is left as it is', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'c.yaml');
  writeFileSync(path, 'new');
  await assert.rejects(replaceFile({ path, bytes: Buffer.from('old') }, Buffer.from('mine')), /was changed meanwhile/);
  assert.equal(readFileSync(path, 'utf8'), 'new');
  assert.deepEqual(readdirSync(folder.path), ['c.yaml']);
});
