import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ShardConfig } from '../../src/config/config.ts';
import type { Impact } from '../../src/plan/impact.ts';
import { shardOf } from '../../src/shard/shard-of.ts';
import type { CustomerEntry } from '../../src/cli/customer-changes.ts';
import { startDaemon, shardplane, type TestDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';
import { makeConfig } from '../helpers/config.ts';
import { until } from '../helpers/until.ts';
import { file } from './support.ts';

const names = Array.from({ length: 30 }, (_, i) => `customer-${i}`);

function configOf(hosts: number, size: number): ShardConfig {
  return makeConfig({ totalHosts: hosts, customers: new Map(names.map((id) => [id, id === 'customer-7' ? size : 2])) });
}

function textOf({ totalHosts, customers }: ShardConfig): string {
  const lines = [...customers].map(([id, size]) => `    ${id}: {shard_size: ${size}}`);
  return `shuffle_sharding:\n  total_hosts: ${totalHosts}\n  default_shard_size: 2\n  customer:\n${lines.join('\n')}\n`;
}

type Answer = Impact & { readonly version: string; readonly source: { readonly kind: string } };

/** Who has nothing left, worked out one by one. */
function lostIn(config: ShardConfig, down: readonly number[], but = ''): string[] {
  return names.filter((id) => id !== but && shardOf(config, id).every((slot) => down.includes(slot)));
}

function lostOf({ named }: Impact): readonly string[] {
  return named.left.find(({ left }) => left === 0)?.some ?? [];
}

describe('an incident', () => {
  const stack = new AsyncDisposableStack();
  const configs = [configOf(4, 2), configOf(4, 3), configOf(5, 3)] as const;
  const versions: string[] = [];
  /** Just after each was live. */
  const times: string[] = [];
  let repository: TestRepository;
  let daemon: TestDaemon;

  before(async () => {
    repository = stack.use(await makeRepository());
    const folder = stack.use(await temporaryFolder()).path;
    versions.push(await repository.commit({ [file]: textOf(configs[0]) }, 'Begin'));
    daemon = stack.use(await startDaemon({ repository: repository.path, folder }));
    for (const [i, config] of configs.entries()) {
      if (i > 0) versions.push(await repository.commit({ [file]: textOf(config) }, `Change ${i}`));
      await daemon.waitForLive(versions[i]!);
      times.push(new Date().toISOString());
    }
  });
  after(() => stack.disposeAsync());

  test('impact: what is live now, for hosts and for a customer', async () => {
    const config = configs[2];
    const found = await daemon.json<Answer>('impact', '--hosts', '1,2,3');
    assert.deepEqual([found.version, found.source.kind], [versions[2], 'live']);
    assert.deepEqual(lostOf(found), lostIn(config, [0, 1, 2]));
    assert.ok(lostOf(found).length > 0);
    const poisoned = await daemon.json<Answer>('impact', '--customer', 'customer-7');
    assert.deepEqual(lostOf(poisoned), lostIn(config, shardOf(config, 'customer-7'), 'customer-7'));
    const { stdout, code } = await daemon.run('impact', '--hosts', '1');
    assert.equal(code, 0);
    assert.match(stdout, /^1 of 5 hosts down \(1\): .*\n[0-9a-f]{12}, live since 20.*Z: Change 2\n/);
  });

  test('impact --at: what was live at a time, or a commit', async () => {
    for (const [i, config] of configs.entries()) {
      for (const when of [times[i]!, versions[i]!.slice(0, 9)]) {
        const found = await daemon.json<Answer>('impact', '--hosts', '1-3', '--at', when);
        assert.equal(found.version, versions[i], when);
        assert.deepEqual(lostOf(found), lostIn(config, [0, 1, 2]));
      }
    }
    const early = await daemon.run('impact', '--hosts', '1', '--at', '2020-01-01');
    assert.equal(early.code, 1);
    assert.match(early.stderr, /^error: nothing was live at 2020-01-01T00:00:00\.000Z/);
  });

  test('history --customer: each commit that changed its hosts, from what to what, and why', async () => {
    const shards = (id: string) => configs.map((config) => shardOf(config, id).map((slot) => slot + 1));
    const history = await daemon.json<CustomerEntry[]>('history', '--customer', 'customer-7');
    const [one, two, three] = shards('customer-7');
    const numbers = (shard: CustomerEntry['shard']['before']) => shard?.hosts.map(({ number }) => number) ?? null;
    const rows = history.map(({ version, shard }) => [
      version,
      numbers(shard.before),
      numbers(shard.after),
      shard.causes,
    ]);
    const wanted = [
      [versions[1], one, two, ['size 2 -> 3']],
      [versions[0], null, one, []],
    ];
    const isGrown = [...three!].sort().join() !== [...two!].sort().join();
    assert.deepEqual(rows, [...(isGrown ? [[versions[2], two, three, ['total hosts 4 -> 5']]] : []), ...wanted]);
    assert.ok(history.every(({ author, liveAt }) => author.startsWith('Test Author') && Date.parse(liveAt) > 0));
    // a change of all hosts is one of each customer whom it moves, and of nobody else
    for (const id of ['customer-1', 'customer-2', 'nobody-named']) {
      const [, before, now] = shards(id).map((shard) => shard.toSorted().join());
      const found = await daemon.json<CustomerEntry[]>('history', '--customer', id);
      assert.equal(
        found.some(({ version }) => version === versions[2]),
        before !== now,
        id,
      );
      assert.equal(
        found.some(({ version }) => version === versions[1]),
        false,
        id,
      );
    }
    const { stdout } = await daemon.run('history', '--customer', 'customer-7', '--limit', '1');
    assert.match(stdout, /\n[0-9a-f]{12} {2}live (since|at) 20.*Z, by Test Author\n {2}\[.*\] -> \[.*\]: /);
    assert.match(stdout, /older ones: --before \d+\n$/);
  });

  test('pages of a customer’s history follow each other', async () => {
    const all = await daemon.json<CustomerEntry[]>('history', '--customer', 'customer-7');
    const pages: CustomerEntry[] = [];
    for (let before: string | null = null; ;) {
      const flags = ['--limit', '1', ...(before === null ? [] : ['--before', before])];
      pages.push(...(await daemon.json<CustomerEntry[]>('history', '--customer', 'customer-7', ...flags)));
      const { stdout } = await daemon.run('history', '--customer', 'customer-7', ...flags);
      before = /--before (\d+)/.exec(stdout)?.[1] ?? null;
      if (before === null) break;
    }
    assert.deepEqual(pages, all);
  });

  test('a branch that goes back is told as that, without a daemon too', async () => {
    await repository.git('reset', '--quiet', '--hard', versions[0]!);
    await daemon.waitForLive(versions[0]!);
    const [newest] = await until('it is in the ledger', async () => {
      const found = await daemon.json<CustomerEntry[]>('history', '--customer', 'customer-7', '--limit', '1');
      return found[0]?.version === versions[0] ? found : null;
    });
    assert.equal(newest?.backFrom, versions[2]);
    await daemon.kill('SIGTERM');
    const flags = ['--repository', repository.path, '--state', daemon.state];
    const offline = await shardplane(['history', '--customer', 'customer-7', ...flags]);
    assert.equal(offline.code, 0, offline.stderr);
    assert.match(offline.stdout, /^no daemon answers: this is from the ledger/);
    assert.match(offline.stdout, new RegExp(`back from ${versions[2]!.slice(0, 12)}, by`));
    const now = await shardplane(['impact', '--hosts', '1', ...flags]);
    assert.match(now.stdout, /not known to be live: Begin\nno daemon answers: this is what the ref has\n/);
    const then = await shardplane(['impact', '--hosts', '1', '--at', times[1]!, '--json', ...flags]);
    assert.equal((JSON.parse(then.stdout) as Answer).version, versions[1]);
    // what was live, and git has lost
    await repository.git('reflog', 'expire', '--expire=now', '--all');
    await repository.git('update-ref', '-d', 'ORIG_HEAD');
    await repository.git('gc', '--quiet', '--prune=now');
    const lost = await shardplane(['history', '--customer', 'customer-7', ...flags]);
    assert.match(lost.stdout, /2 commits that were live can’t be read from git any more/);
    const gone = await shardplane(['impact', '--hosts', '1', '--at', times[1]!, ...flags]);
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /has no commit [0-9a-f]{12}\n {2}hint: git fetch/);
  });

  test('usage errors are 2', async () => {
    for (const args of [
      [],
      ['--hosts', '1', '--customer', 'a'],
      ['--hosts', '9'],
      ['--hosts', ','],
      ['--hosts', '1', '--at', 'soon'],
      ['--hosts', '1', '--at', '2999-01-01'],
    ]) {
      const ended = await shardplane(['impact', ...args, '--repository', repository.path, '--state', daemon.state]);
      assert.equal(ended.code, 2, args.join(' '));
      assert.match(ended.stderr, /^error: /);
    }
  });
});
