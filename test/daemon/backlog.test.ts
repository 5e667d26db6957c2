import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryEntry } from '../../src/ledger/store.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { importCommits, makeRepository, temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';

const file = 'shard-config.yaml';
const text = (at: number): string => `shuffle_sharding: {total_hosts: ${100 + at}, default_shard_size: 2}\n`;

test('more commits than are read at once, and a crash among them: the newest is live first, each gets its outcome', async () => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
  const start = await repository.commit({ [file]: text(0) });
  await daemon.waitForLive(start);
  await daemon.kill('SIGKILL');
  const contents = Array.from({ length: 1_050 }, (_, at) => text(at + 1));
  const tip = await importCommits(repository.path, { file, contents });
  await daemon.restart();
  await daemon.waitForLive(tip, 20_000);
  await daemon.restart();
  await daemon.waitForLive(tip, 20_000);

  const page = (...args: string[]) => daemon.json<HistoryEntry[]>('history', '--limit', '1000', ...args);
  const history = await until(
    'all outcomes',
    async () => {
      const newer = await page();
      const all = [...newer, ...(await page('--before', String(newer.at(-1)?.id)))];
      return all.length === 1_051 && all.every(({ outcome }) => outcome !== null) ? all : null;
    },
    30_000,
  );
  const [newest, ...others] = history;
  assert.deepEqual([newest?.version, newest?.live], [tip, true]);
  assert.deepEqual(
    others.map(({ subject }) => subject),
    [...Array.from({ length: 1_049 }, (_, at) => `change ${1_049 - at}`), 'change'],
  );
  assert.ok(newest!.push!.startedAt <= others.at(-2)!.outcomeAt!);
  const before = await daemon.waitForLive(tip);
  assert.equal(before.head?.version, tip);
});
