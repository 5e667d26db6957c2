import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon } from '../helpers/daemon.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';
import { createRandom, type Random } from '../helpers/random.ts';
import { until } from '../helpers/until.ts';
import { Victim } from './kill-daemon.ts';
import { readLedger, type KilledLedger } from './kill-ledger.ts';
import { KillNode, refusedKey } from './kill-node.ts';
import { config } from './remote-scene.ts';
import { file } from './support.ts';

/** How often the daemon is killed. */
const kills = Number(process.env.SHARDPLANE_KILLS ?? 25);

test(`kill -9 at ${kills} random points while commits arrive`, { timeout: 60_000 + kills * 20_000 }, async (t) => {
  await using folder = await temporaryFolder();
  await using repository = await makeRepository();
  const first = await repository.commit({ [file]: config(0) }, 'first');
  const port = await freePort();
  const random = createRandom();
  t.diagnostic(`SHARDPLANE_SEED=${random.seed} has the same kills and commits again`);
  const daemon = new Victim({ folder: folder.path, repository: repository.path, port });
  const node = new KillNode(`127.0.0.1:${port}`);
  const commits = new Commits(repository, createRandom(random.seed + 1));
  const state = join(folder.path, 'state');
  // while the daemon runs, a copy may be half of the one moment and half of the next
  const peek = () => readLedger(state, join(folder.path, `copy-${randomUUID()}`)).catch(() => null);
  let served = 0;
  try {
    // a first start takes the newest commit alone; from then on each has its outcome
    daemon.start();
    await until('the first commit is live', async () => (await peek())?.proven === first, 30_000);
    commits.start();
    await daemon.kill();
    for (let round = 1; round <= kills; round += 1) {
      daemon.start();
      // one of three anywhere while it starts, the others while it serves
      if (round % 3 !== 0) await until('it listens', () => daemon.listened, 30_000);
      await sleep(random.next() * 800);
      await daemon.kill();
      if (daemon.listened) served += 1;
      const ledger = await readLedger(state, join(folder.path, `copy-${round}`));
      check({ ledger, node, commits });
      assert.deepEqual(node.violations, [], `round ${round}`);
    }
    await commits.stop();
    const sha = await repository.commit({ [file]: config(1_000_000) }, 'the last');
    daemon.start();
    await until('the last good commit is what the node holds', () => node.held === sha, 30_000);
    // each commit has its outcome, whatever cut it short
    const open = await until('it is live, and all has its outcome', async () => {
      const ledger = await peek();
      return ledger?.proven === sha && ![...ledger.outcomes.values()].includes(null) ? ledger : null;
    });
    check({ ledger: open, node, commits });
    assert.equal(open.outcomes.get(sha), 'live');
    assert.equal(open.outcomes.size, commits.made + 2);
    const tally = Object.groupBy(open.outcomes.values(), (outcome) => outcome ?? 'none');
    const words = Object.entries(tally).map(([outcome, all]) => `${all?.length} ${outcome}`);
    t.diagnostic(`${kills} kills, ${served} while it served; ${open.outcomes.size} commits: ${words.join(', ')}`);
    t.diagnostic(`the node accepted ${node.acked.size}, refused ${node.nacked.size}`);
    const aside = (await readdir(state)).filter((name) => name.includes('corrupt'));
    assert.deepEqual(aside, []);
  } finally {
    await node.stop();
    await commits.stop();
    await daemon.kill();
  }
  assert.deepEqual(node.violations, []);
});

/** What must hold whenever the daemon has died. */
function check({ ledger, node, commits }: { ledger: KilledLedger; node: KillNode; commits: Commits }): void {
  for (const [version, outcome] of ledger.outcomes) {
    const kind = commits.kinds.get(version);
    const told = `${version} (${kind ?? 'good'}) is ${String(outcome)}`;
    if (outcome === 'invalid') assert.equal(kind, 'invalid', told);
    if (outcome === 'rolled_back') {
      assert.ok(node.nacked.has(version), `${told}, but the node has not refused it`);
      node.over.add(version);
    }
    if (kind === 'invalid') assert.ok(outcome === 'invalid' || outcome === null, told);
  }
  for (const version of node.acked) {
    const outcome = ledger.outcomes.get(version) ?? null;
    assert.ok(
      outcome === null || outcome === 'live' || outcome === 'superseded',
      `the node took ${version}: ${outcome}`,
    );
  }
  for (const version of ledger.everProven) assert.ok(node.acked.has(version), `${version} is proven without an ACK`);
  if (ledger.proven !== null) assert.ok(node.acked.has(ledger.proven), 'what is proven was accepted');
  if (ledger.live !== null) assert.equal(ledger.outcomes.get(ledger.live), 'live');
}

/** Commits without end: good ones, ones that the node refuses, and invalid ones. */
class Commits {
  readonly kinds = new Map<string, 'refused' | 'invalid'>();
  made = 0;
  readonly #repository: TestRepository;
  readonly #random: Random;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(repository: TestRepository, random: Random) {
    this.#repository = repository;
    this.#random = random;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { next } = this.#random;
    for (let count = 1; !this.#stopped; count += 1) {
      const kind = next() < 0.6 ? 'good' : next() < 0.7 ? 'refused' : 'invalid';
      const sha = await this.#repository.commit({ [file]: textOf(kind, count) }, `${kind} ${count}`);
      if (kind !== 'good') this.kinds.set(sha, kind);
      this.made += 1;
      await sleep(next() * 200);
    }
  }
}

function textOf(kind: 'good' | 'refused' | 'invalid', count: number): string {
  if (kind === 'invalid') return config(count).replace('total_hosts: 8', 'total_hosts: none');
  return kind === 'good' ? config(count) : `${config(count)}  ${refusedKey}: 1\n`;
}

test('killed before it has noted how far it came: what the Envoys have answered stands', async () => {
  await using folder = await temporaryFolder();
  await using repository = await makeRepository();
  const first = await repository.commit({ [file]: config(1) }, 'first');
  await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
  await daemon.waitForLive(first);
  const node = new KillNode(`127.0.0.1:${daemon.xdsPort}`);
  try {
    await daemon.waitFor('the node', ({ counts }) => counts.acked === 1);
    const taken = await repository.commit({ [file]: config(2) }, 'taken');
    await daemon.waitForLive(taken);
    const refused = await repository.commit({ [file]: textOf('refused', 3) }, 'refused');
    await daemon.waitFor('rolled back', ({ head }) => head?.version === refused && head.outcome === 'rolled_back');
    // It is shown a moment before it is written.
    await until('it is written', async () =>
      (await daemon.history()).some(({ version, outcome }) => version === refused && outcome === 'rolled_back'),
    );
    await daemon.kill('SIGKILL');
    const database = new DatabaseSync(join(daemon.state, 'ledger.sqlite'));
    database.prepare("UPDATE state SET json = json_set(json, '$.revisions.taken', ?)").run(first);
    database.close();
    const last = await repository.commit({ [file]: config(4) }, 'last');
    await daemon.restart();
    await daemon.waitForLive(last);
    const outcomes = (await daemon.history()).map(({ version, outcome }) => [version, outcome]);
    assert.deepEqual(outcomes, [
      [last, 'live'],
      [refused, 'rolled_back'],
      [taken, 'live'],
      [first, 'live'],
    ]);
    assert.deepEqual(
      [...node.nacked].filter((version) => version !== refused),
      [],
    );
  } finally {
    await node.stop();
  }
});
