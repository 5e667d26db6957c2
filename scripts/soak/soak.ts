import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HistoryEntry } from '../../src/ledger/store.ts';
import { startDaemon, type LogLine, type TestDaemon } from '../../test/helpers/daemon.ts';
import { envoyBinary, newestEnvoy, startEnvoy, type Envoy } from '../../test/helpers/envoy.ts';
import { makeRepository, temporaryFolder } from '../../test/helpers/git.ts';
import { until } from '../../test/helpers/until.ts';
import { toBootstrap } from '../../test/xds/bootstrap.ts';
import { LoadNode } from '../bench/load/node.ts';
import { Chaos, type Deeds } from './chaos.ts';
import { Commits, type Committed } from './commits.ts';
import { MemoryWatch } from './memory.ts';
import { createRandom } from './random.ts';

export interface SoakOptions {
  /** How long nodes misbehave and commits are made. */
  readonly seconds: number;
  readonly seed: number;
  readonly nodes: number;
  /** Called with progress messages. */
  readonly say: (words: string) => void;
}

/** The results. A soak that fails throws. */
export interface SoakReport {
  readonly seed: number;
  readonly seconds: number;
  readonly nodes: number;
  /** Version of the real Envoy, or null. */
  readonly envoy: string | null;
  readonly commits: Committed;
  readonly deeds: Deeds;
  /** The number of revisions by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Resident memory of the daemon in MB: medians of the second and of the last minute, and the peak. */
  readonly memory: { readonly early: number; readonly late: number; readonly peak: number };
  /** Open files of the daemon at the end. */
  readonly openFiles: number;
  /** Pushes to the node that refused all of them. */
  readonly pushesToRefuser: number;
}

const COMMIT_EVERY_MS = 1_000;
/** Longer than the daemon waits for a silent node (30 s). */
const CONVERGE_MS = 60_000;

/**
 * Runs a real daemon on a real repository with a commit a second, a fleet that misbehaves, one node that refuses everything, and a real
 * Envoy if there is one. At the end the nodes behave again, and all must have the last good commit. Throws if one doesn't, if a commit
 * has no outcome, or if the daemon logs an unexpected error.
 */
export async function runSoak({ seconds, seed, nodes, say }: SoakOptions): Promise<SoakReport> {
  const random = createRandom(seed);
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const commits = new Commits(repository, random);
  const first = await commits.valid();
  await using daemon = await startDaemon({
    repository: repository.path,
    folder: folder.path,
    settings: { log: { format: 'json' } },
  });
  await daemon.waitForLive(first);
  await using envoy = await envoyOf(daemon.xdsPort);
  const refuser = startRefuser(daemon.xdsPort);
  const chaos = new Chaos({ nodes, port: daemon.xdsPort, random });
  using memory = new MemoryWatch(daemon.pid);
  try {
    chaos.start();
    await commitFor(seconds, commits, say);
    say('the nodes behave from now on');
    chaos.calm();
    await converged(daemon, chaos);
    const last = await commits.valid();
    await daemon.waitForLive(last, CONVERGE_MS);
    await allOn(last, chaos, envoy);
    const outcomes = await outcomesOf(daemon);
    checkLog(daemon.log());
    const openFiles = await checkConnections(daemon, nodes + 1 + (envoy ? 1 : 0));
    const { made, total } = commits;
    if (refuser.received > 3 * total)
      throw new Error(`${refuser.received} pushes to the node that refuses, of ${total} commits`);
    return {
      ...{ seed, seconds, nodes, outcomes, openFiles },
      envoy: envoy?.version ?? null,
      commits: made,
      deeds: chaos.deeds,
      memory: memory.report(),
      pushesToRefuser: refuser.received,
    };
  } finally {
    refuser.close();
    chaos.stop();
  }
}

async function commitFor(seconds: number, commits: Commits, say: (words: string) => void): Promise<void> {
  const end = Date.now() + seconds * 1_000;
  for (let second = 1; Date.now() < end; second += 1) {
    const startedAt = Date.now();
    await commits.next();
    if (second % 60 === 0) say(`${commits.total} commits`);
    await sleep(Math.max(0, COMMIT_EVERY_MS - (Date.now() - startedAt)));
  }
}

/** A real Envoy that subscribes to the runtime layer, if one is installed. */
async function envoyOf(port: number): Promise<Envoy | null> {
  if (!existsSync(envoyBinary(newestEnvoy))) return null;
  return await startEnvoy({ bootstrap: toBootstrap({ node: 'envoy', port, kind: 'delta ADS' }) });
}

/** A node that refuses every push. */
function startRefuser(port: number): { readonly received: number; readonly close: () => void } {
  let received = 0;
  const node = new LoadNode({
    ...{ port, id: 'refuser' },
    onResponse: () => {
      received += 1;
      return { refusal: 'this node refuses all it gets' };
    },
    onClose: () => undefined,
  });
  return {
    get received() {
      return received;
    },
    close: () => node.close(),
  };
}

/** Waits until every node but the refusing one has the live release. */
async function converged(daemon: TestDaemon, chaos: Chaos): Promise<void> {
  await until(
    'all nodes on the live release',
    async () => {
      chaos.rejoin();
      const { live } = await daemon.status();
      return chaos.nodes.every(
        ({ mood, refusing, version }) => mood === 'well' && (refusing || version === live?.version),
      );
    },
    CONVERGE_MS,
  );
}

async function allOn(version: string, chaos: Chaos, envoy: Envoy | null): Promise<void> {
  const late = () => chaos.nodes.filter((node) => node.version !== version || node.refusing);
  await until('all nodes on the last commit', () => late().length === 0, CONVERGE_MS).catch(() => {
    throw new Error(`not on ${version} at the end: ${JSON.stringify(late().slice(0, 5))}`);
  });
  if (envoy)
    await until('Envoy on the last commit', async () => (await envoy.stat('runtime.version_text')) === version);
}

/** Counts revisions by outcome. Throws if one has none. */
async function outcomesOf(daemon: TestDaemon): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let before: number | null = null; ;) {
    const page = before === null ? '' : `&before=${before}`;
    const entries = JSON.parse((await daemon.get(`/api/v1/history?limit=1000${page}`)).body) as HistoryEntry[];
    for (const { version, outcome } of entries) {
      if (outcome === null) throw new Error(`no outcome: ${version}`);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
    before = entries.at(-1)?.id ?? null;
    if (before === null) return counts;
  }
}

/** Errors that a soak is expected to cause. */
const expected = /^(invalid|rolled back) /;

function checkLog(lines: readonly LogLine[]): void {
  const error = lines.find(({ level, msg }) => level === 'error' && !expected.test(msg));
  if (error) throw new Error(`the daemon logged an error: ${error.msg}`);
}

/** Checks that the daemon knows exactly the connected nodes. Returns the number of its open files. */
async function checkConnections(daemon: TestDaemon, connected: number): Promise<number> {
  await daemon.waitFor('only nodes that are there', ({ counts }) => counts.connected === connected, CONVERGE_MS);
  const open = readdirSync(`/proc/${daemon.pid}/fd`).length;
  if (open > connected + 100) throw new Error(`${open} open files for ${connected} nodes`);
  return open;
}
