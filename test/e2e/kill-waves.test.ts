import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../../src/http/api.ts';
import type { Story } from '../../src/ledger/store.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';
import { createRandom, type Random } from '../helpers/random.ts';
import { until } from '../helpers/until.ts';
import { Victim } from './kill-daemon.ts';
import { readLedger, type KilledLedger } from './kill-ledger.ts';
import { KillNode } from './kill-node.ts';
import { file } from './support.ts';
import { fleet, refusers, strategies, upTo, WaveWitness, type Made, type Strategy } from './wave-witness.ts';

/** How often the daemon is killed. */
const kills = Number(process.env.SHARDPLANE_KILLS ?? 25);
/** After so many of them, a rollout may go on to its end. */
const settledEach = 25;
const settings = {
  xds: { ack_timeout: '1s' },
  rollout: {
    strategies: Object.fromEntries(Object.entries(strategies).map(([name, { waves }]) => [name, waves])),
  },
};

test(`kill -9 at ${kills} random points of gradual rollouts`, { timeout: 90_000 + kills * 10_000 }, async (t) => {
  await using folder = await temporaryFolder();
  await using repository = await makeRepository();
  const random = createRandom();
  t.diagnostic(`SHARDPLANE_SEED=${random.seed} has the same kills and commits again`);
  const port = await freePort();
  const daemon = new Victim({ folder: folder.path, repository: repository.path, port, settings });
  const state = join(folder.path, 'state');
  const peek = () => readLedger(state, join(folder.path, `copy-${randomUUID()}`));
  const witness = new WaveWitness();
  const nodes = fleet.map(
    (id) => new KillNode(`127.0.0.1:${port}`, { id, refuses: markOf(id), onPush: witness.onPush }),
  );
  const commits = new Commits(repository, createRandom(random.seed + 1));
  const settle = async () => {
    await commits.stop();
    const sha = await commits.make('nodes', null);
    await until('all nodes hold the last commit', () => nodes.every(({ held }) => held === sha), 30_000);
    await agree({ sha, daemon, nodes, commits });
  };
  try {
    await commits.make('all-at-once', null);
    daemon.start();
    await until('it listens', () => daemon.listened);
    await settle();
    let inWave = 0;
    for (let round = 1; round <= kills; round += 1) {
      commits.start();
      await sleep(random.next() ** 2 * 2_000);
      await daemon.kill();
      const ledger = await peek();
      if (ledger.candidate !== null && ledger.candidate.wave >= 0) inWave += 1;
      check({ ledger, witness, nodes, commits });
      daemon.start();
      // one of three is killed while it starts
      if (round % 3 !== 0) await until('it listens', () => daemon.listened, 30_000);
      if (round % settledEach === 0 || round === kills) {
        await settle();
        check({ ledger: await until('the ledger', () => peek().catch(() => null)), witness, nodes, commits });
      }
    }
    const outcomes = Object.groupBy((await peek()).outcomes.values(), (outcome) => outcome ?? 'none');
    const words = Object.entries(outcomes).map(([outcome, all]) => `${all?.length} ${outcome}`);
    t.diagnostic(`${kills} kills, ${inWave} of them in a wave; ${commits.made.size} commits: ${words.join(', ')}`);
    t.diagnostic(`${witness.count} pushes to ${nodes.length} nodes`);
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await commits.stop();
    await daemon.kill();
  }
});

interface Scene {
  readonly nodes: readonly KillNode[];
  readonly commits: Commits;
}

/** What must hold whenever the daemon has died. */
function check({ ledger, witness, nodes, commits }: Scene & { ledger: KilledLedger; witness: WaveWitness }): void {
  assert.deepEqual(witness.violations(commits.made), []);
  for (const node of nodes) assert.deepEqual(node.violations, []);
  const { candidate, outcomes } = ledger;
  const strategy = candidate && commits.made.get(candidate.version)?.strategy;
  if (candidate && strategy && strategy !== 'all-at-once') {
    const { wave, reach, version } = candidate;
    const atMost: readonly string[] = strategies[strategy].reach[wave] ?? [];
    const reached = reach.isEveryone ? fleet : reach.globs.length > 0 ? atMost : upTo(reach.upTo);
    assert.deepEqual(except(reached, atMost), [], `wave ${wave} of ${strategy} reaches them`);
    assert.deepEqual(except(witness.whoGot(version), reached), [], `of ${version}, in wave ${wave} of ${strategy}`);
  }
  for (const [version, outcome] of outcomes) {
    if (outcome !== 'rolled_back') continue;
    assert.notEqual(witness.whoRefused(version).size, 0, `${version} is rolled back, and nobody has refused it`);
    for (const node of nodes) node.over.add(version);
  }
  for (const version of ledger.everProven)
    assert.ok(2 * witness.whoTook(version).size >= fleet.length, `${version} is proven without enough ACKs`);
  if (ledger.live !== null) assert.equal(outcomes.get(ledger.live), 'live');
}

function except(all: Iterable<string>, others: readonly string[]): string[] {
  return [...all].filter((each) => !others.includes(each));
}

/** Once all is calm: the status, the history, each commit's story and the nodes say the same. */
async function agree({ sha, daemon, nodes, commits }: Scene & { sha: string; daemon: Victim }): Promise<void> {
  const get = async <T>(path: string) =>
    (await (await fetch(`http://127.0.0.1:${daemon.httpPort}/api/v1/${path}`)).json()) as T;
  const status = await until('it is live, and nothing is left over', async () => {
    const now = await get<Status>('status');
    return now.live?.version === sha && now.live.proven && now.backlog === 0 ? now : null;
  });
  assert.equal(status.head?.version, sha);
  assert.equal(status.head.outcome, 'live');
  const held = status.nodes.map(({ id, version, state }) => `${id} ${version} ${state}`);
  assert.deepEqual(held.sort(), nodes.map(({ id }) => `${id} ${sha} acked`).sort());
  const recent = [...commits.made.keys()].slice(-40);
  for (const version of recent) {
    const { revision, events } = await get<Story>(`history/${version}`);
    const ends = events.flatMap(({ type, detail }) => (type === 'outcome' ? [String(detail.outcome)] : []));
    const told = `${version}: ${revision.outcome}, after ${events.map(({ type }) => type).join(', ')}`;
    assert.deepEqual(ends, [revision.outcome], told);
    assert.equal(
      events.some(({ type }) => type === 'live'),
      revision.outcome === 'live',
      told,
    );
    assert.equal(revision.live, version === sha, told);
  }
}

/** What the node of that id refuses: a customer's name, which is in a stage of the commit too. */
function markOf(id: string): string {
  return `refused-by-${id}`;
}

/** Commits without end. */
class Commits {
  readonly made = new Map<string, Made>();
  readonly #repository: TestRepository;
  readonly #random: Random;
  #running: Promise<void> | null = null;
  #count = 0;
  #isStopped = true;

  constructor(repository: TestRepository, random: Random) {
    this.#repository = repository;
    this.#random = random;
  }

  start(): void {
    this.#isStopped = false;
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    this.#running = null;
  }

  async make(strategy: Strategy, refusedBy: string | null): Promise<string> {
    const count = (this.#count += 1);
    const mark = refusedBy === null ? '' : `    ${markOf(refusedBy)}: {shard_size: 3}\n`;
    const customers = `  customer:\n    acme: {shard_size: ${1 + (count % 7)}}\n    other: {shard_size: 4}\n${mark}`;
    const text = `shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2\n${customers}runtime:\n  test.count: ${count}\n`;
    const sha = await this.#repository.commit({ [file]: text }, `${count}\n\nShardplane-Rollout: ${strategy}`);
    this.made.set(sha, { count, strategy, refusedBy });
    return sha;
  }

  async #run(): Promise<void> {
    const { next } = this.#random;
    const pick = <T>(all: readonly T[]): T => all[Math.floor(next() * all.length)]!;
    while (!this.#isStopped) {
      const strategy = pick<Strategy>(['nodes', 'nodes', 'customers', 'customers', 'manual', 'all-at-once']);
      await this.make(strategy, next() < 0.5 ? pick(refusers) : null);
      await sleep(next() ** 2 * 1_500);
    }
  }
}
