import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '../../src/http/api.ts';
import type { HistoryEntry, Story } from '../../src/ledger/store.ts';
import { startDaemon, type TestDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';
import { createRandom, type Random } from '../helpers/random.ts';
import { until } from '../helpers/until.ts';
import { KillNode, refusedKey } from './kill-node.ts';

const file = 'shard-config.yaml';
const steps = 24;
const firstText = 'shuffle_sharding: {total_hosts: 8, default_shard_size: 2}\n';

/** What may become of a revision after what: it is rewound to, accepted, tried again. Anything else is a second final outcome. */
const successors: Readonly<Record<string, readonly string[]>> = {
  none: ['invalid', 'live', 'rolled_back', 'superseded', 'held'],
  held: ['invalid', 'live', 'rolled_back', 'superseded'],
  superseded: ['held', 'live', 'rolled_back'],
  invalid: ['held'],
  live: ['held', 'rolled_back'],
  rolled_back: ['held', 'live'],
};

class Scene {
  readonly repository: TestRepository;
  readonly daemon: TestDaemon;
  readonly node: KillNode;
  readonly random: Random;
  readonly done: string[] = [];
  #count = 0;

  constructor(parts: { repository: TestRepository; daemon: TestDaemon; node: KillNode; random: Random }) {
    this.repository = parts.repository;
    this.daemon = parts.daemon;
    this.node = parts.node;
    this.random = parts.random;
  }

  below(count: number): number {
    return Math.floor(this.random.next() * count);
  }

  text(kind: 'good' | 'bad' | 'refused'): string {
    this.#count += 1;
    const size = kind === 'bad' ? 'two' : '1';
    const customers = Array.from({ length: 1 + this.below(8) }, (_, at) => `    c${at}: {shard_size: ${size}}\n`).join(
      '',
    );
    const extra = kind === 'refused' ? `  ${refusedKey}: 1\n` : '';
    return `shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2\n  customer:\n${customers}runtime:\n  test.count: ${this.#count}\n${extra}`;
  }

  commit(): Promise<string> {
    const kind = (['good', 'good', 'good', 'bad', 'refused'] as const)[this.below(5)]!;
    return this.repository.commit({ [file]: this.text(kind) }, kind);
  }

  /** Several commits that the ref gets at once, on top of it or of an older one. */
  async burst(from: string): Promise<void> {
    const { repository } = this;
    await repository.git('checkout', '--quiet', '--force', '--detach', from);
    for (let left = 1 + this.below(4); left > 0; left -= 1) await this.commit();
    await repository.git('checkout', '--quiet', '-B', 'main');
  }

  async back(to: string): Promise<void> {
    await this.repository.git('reset', '--quiet', '--hard', to);
  }

  async older(): Promise<string> {
    const all = (await this.repository.git('rev-list', '--first-parent', 'HEAD')).split('\n');
    return all[Math.min(all.length - 1, 1 + this.below(3))]!;
  }

  async step(): Promise<void> {
    const { daemon, repository } = this;
    const live = async (): Promise<string> => (await daemon.status()).live?.version ?? 'HEAD';
    const moves: [string, () => Promise<unknown>][] = [
      ['commit', () => this.commit()],
      ['commit', () => this.commit()],
      ['several at once', () => this.burst('HEAD')],
      ['rewrite', async () => this.burst(await this.older())],
      ['rewind', async () => this.back(await this.older())],
      ['back to what is live', async () => this.back(await live())],
      ['revert', () => repository.git('revert', '--no-edit', 'HEAD').catch(() => repository.git('revert', '--abort'))],
      ['another file', () => repository.commit({ 'README.md': String(this.#count++) })],
      ['accept', () => daemon.run('accept', 'HEAD')],
      ['retry', () => daemon.run('retry', 'HEAD')],
      ['kill -9', () => daemon.restart()],
      ['look', () => daemon.run('sync')],
    ];
    const [name, move] = moves[this.below(moves.length)]!;
    this.done.push(name);
    await move();
  }

  /** Until nothing is under way; returns what is shown then. */
  async settle(): Promise<{ status: Status; history: HistoryEntry[] }> {
    const { daemon, repository, node } = this;
    const newest = await repository.git('log', '--first-parent', '-1', '--format=%H', 'HEAD', '--', file);
    await daemon.run('sync');
    const status = await daemon.waitFor(
      'nothing is under way',
      ({ head, live, backlog, counts }) =>
        head?.version === newest &&
        head.outcome !== null &&
        backlog === 0 &&
        counts.connected === 1 &&
        counts.pending === 0 &&
        live?.version === node.held,
      20_000,
    );
    const history = await until('no outcome is open', async () => {
      const all = await daemon.history();
      const open = all.filter(
        ({ version, outcome, held }) => version !== newest && (outcome === null || held || outcome === 'held'),
      );
      return open.length === 0 ? all : null;
    });
    return { status, history };
  }

  /** Status, history and metrics say the same, and nothing is held that is live. */
  async check(): Promise<void> {
    const { status, history } = await this.settle();
    const { head, live } = status;
    assert.deepEqual(status.problems, []);
    const entry = history.find(({ version }) => version === head!.version);
    assert.deepEqual([entry?.outcome, entry?.held], [head!.outcome, head!.outcome === 'held']);
    assert.deepEqual(
      history.filter((each) => each.live).map(({ version, outcome }) => [version, outcome]),
      [[live!.version, 'live']],
    );
    const isLive = head!.version === live!.version;
    assert.equal(head!.outcome === 'live', isLive);
    const { body } = await this.daemon.get('/metrics');
    assert.match(body, new RegExp(`^shardplane_head_is_live ${isLive ? 1 : 0}$`, 'm'));
    assert.match(body, new RegExp(`^shardplane_head_held ${head!.outcome === 'held' ? 1 : 0}$`, 'm'));
    assert.match(body, new RegExp(`^shardplane_live_info\\{version="${live!.version}"`, 'm'));
    for (const { version } of history)
      checkStory(JSON.parse((await this.daemon.get(`/api/v1/history/${version}`)).body) as Story);
  }
}

/** An outcome is final; what comes after a new push or an operator's word is another story. */
function checkStory({ revision, events }: Story): void {
  let last = 'none';
  for (const { type, detail } of events) {
    if (type === 'push_started' || type === 'unpinned') last = 'none';
    if (type !== 'outcome') continue;
    const outcome = String(detail.outcome);
    const isLegal = outcome === last || successors[last]!.includes(outcome);
    assert.ok(isLegal, `${revision.version} ${revision.subject}: ${outcome} after ${last}\n${JSON.stringify(events)}`);
    last = outcome;
  }
}

for (const on_rewrite of ['follow', 'hold', 'refuse'])
  test(`any moves of a ref (on_rewrite: ${on_rewrite}): each revision ends with one outcome, and all that is told agrees`, async (t) => {
    const random = createRandom();
    t.diagnostic(`SHARDPLANE_SEED=${random.seed}`);
    await using repository = await makeRepository();
    await using folder = await temporaryFolder();
    const first = await repository.commit({ [file]: firstText }, 'first');
    await using daemon = await startDaemon({
      repository: repository.path,
      folder: folder.path,
      settings: { repository: { on_rewrite } },
    });
    const node = new KillNode(`127.0.0.1:${daemon.xdsPort}`);
    const running = new Scene({ random, repository, daemon, node });
    try {
      await daemon.waitFor('the first is live', ({ live }) => live?.version === first && live.proven);
      for (let at = 0; at < steps; at += 1) {
        await running.step();
        if (running.below(3) === 0) await running.settle();
      }
      // What is on its way would be live a moment after the ref was put back to what is live now.
      await (on_rewrite === 'refuse' ? running.settle() : running.check());
      // wherever it came to: at what is live, nothing is held
      await running.back((await daemon.status()).live!.version);
      await running.check();
      await repository.commit({ [file]: running.text('bad') });
      await running.settle();
      await running.back((await daemon.status()).live!.version);
      await running.check();
    } catch (error) {
      throw new Error(`SHARDPLANE_SEED=${random.seed}, after: ${running.done.join(', ')}`, { cause: error });
    } finally {
      await node.stop();
    }
  });
