import { orderOf } from '../../../src/rollout/reach.ts';
import { pause } from '../ending.ts';
import { Expectations } from '../expectations.ts';
import { curlLine, readLines } from '../observe.ts';
import { configFile, Repository, sayCommit } from '../repository.ts';
import type { Commit } from '../repository.ts';
import { say } from '../say.ts';
import type { DemoEnvoy, Stage } from '../stage.ts';
import { first, firstConfig } from '../story.ts';
import { Fleet } from './fleet.ts';
import { assess } from './damage.ts';
import { drawPanel } from './show.ts';
import { answerOf, customers, ninthHost, rolloutSettings, waves } from './story.ts';
import type { DemoWave } from './story.ts';
import { rate, Traffic } from './traffic.ts';

/** The check has a verdict by then, and the first wave is not over. */
const verdictMs = 3_000;
/** Longer than any wave takes, on a busy machine too. */
const waveMs = 40_000;
/** Shorter than the first wave takes: what everybody has within this time went without waves. */
const atOnceMs = 8_000;

/** A release that is tried on the fleet: what it replaces, and when it was committed. */
interface Trial {
  readonly commit: Commit;
  readonly before: string;
  readonly since: number;
}

/** Three Envoys under traffic: a bad commit is rolled back by what its first wave shows, a good one goes customer by customer. */
export class RolloutPlay {
  readonly #stage: Stage;
  readonly #repository: Repository;
  readonly #fleet: Fleet;
  readonly #traffic = new Traffic(customers);
  readonly #expectations = new Expectations();
  readonly #startedAt = Date.now();
  /** When errors were to be expected. */
  #bad = { since: 0, until: 0 };
  /** What the fleet runs. */
  #live = '';

  private constructor(stage: Stage, repository: Repository) {
    this.#stage = stage;
    this.#repository = repository;
    this.#fleet = new Fleet(stage);
  }

  /** From the first commit to the last; returns the exit code. */
  static async perform(stage: Stage, envoy: string): Promise<number> {
    const play = new RolloutPlay(stage, await Repository.create(stage.repository));
    await play.#begin(envoy);
    await play.#tryBad();
    await play.#takeBack('git revert: the branch, too, is back at what the Envoys run');
    await play.#tryGood();
    await play.#takeBack('and the way back: git revert');
    return play.#conclude();
  }

  async #begin(envoy: string): Promise<void> {
    say.title('Starting a git repository, backends, the daemon and three Envoys');
    say.line(`What is committed reaches the Envoys wave by wave, as shardplane.yaml says:`);
    say.line();
    for (const line of rolloutSettings.trimEnd().split('\n')) say.line(`  ${line}`);
    say.line();
    const { ports, settings } = this.#stage;
    const files = { [configFile]: firstConfig(ports.backends), 'shardplane.yaml': settings + rolloutSettings };
    const commit = await this.#repository.commit(files, first.subject);
    await this.#stage.startBackends(first.backends);
    await this.#stage.startDaemon();
    await this.#stage.startEnvoys(envoy);
    await this.#awaitEverywhere(commit.version);
    await this.#beginTraffic();
  }

  async #beginTraffic(): Promise<void> {
    this.#traffic.start(this.#stage.envoys);
    say.line(`the traffic     ${customers.length} customers in turn, ${rate} requests a second to each Envoy`);
    say.line('waiting for the Envoys’ load reports, which say what is normal (every 10 s; in a rollout every 2 s) ...');
    const count = this.#stage.envoys.length;
    await this.#fleet.awaitStatus('not every Envoy has reported its load', ({ nodes }) => {
      return nodes.length === count && nodes.every(({ load }) => (load?.requests ?? 0) > 0);
    });
  }

  /** One Envoy gets it, its customers see errors, and it is rolled back; the others never had it. */
  async #tryBad(): Promise<void> {
    this.#title('act 1: a commit with a ninth host, which answers 500 to its customers');
    await this.#stage.startBackends(9, 500);
    const others = this.#stage.envoys.filter((envoy) => envoy !== this.#first);
    const pushes = await this.#fleet.countPushes(others);
    const trial = await this.#commit(8, `Add a ninth host, ${String(this.#stage.ports.backends[8])}`);
    await this.#fleet.awaitRollback(trial.commit.version);
    const decidedAt = Date.now();
    await this.#awaitEverywhere(this.#live);
    const backAt = Date.now();
    await this.#fleet.awaitPanel((_, customer) => answerOf(customer, 8, this.#live));
    this.#bad = { since: trial.since, until: Date.now() };
    this.#expectations.expect('pushes to the others', await this.#fleet.countPushes(others), pushes);
    this.#showDamage(trial, { decidedAt, backAt });
    await this.#showStatus();
  }

  /** The others never had it; the errors in the wave are those of the ninth host. */
  #showDamage({ commit, since }: Trial, { decidedAt, backAt }: { decidedAt: number; backAt: number }): void {
    const samples = this.#traffic.since(since);
    say.line();
    say.line('what the customers saw from the commit on');
    for (const { id } of this.#stage.envoys) {
      const own = samples.filter(({ envoy }) => envoy === id);
      const isInWave = id === this.#first.id;
      const { line, faults } = assess(id, own, { version: commit.version, isInWave });
      say.line(line);
      for (const fault of faults) this.#expectations.fail(fault);
    }
    const firstBad = samples.find(({ status }) => status !== 200)?.at ?? decidedAt;
    const { id } = this.#first;
    say.line(
      `rolled back ${seconds(decidedAt - firstBad)} after the first error; ${id} had the old one ${backAt - decidedAt} ms later`,
    );
  }

  async #showStatus(): Promise<void> {
    const lines = await readLines(this.#stage.shardplane, ['status'], this.#stage.repository);
    say.line();
    for (const line of ['$ shardplane status', ...lines]) say.line(line);
  }

  /** A revert: what was live before goes to everyone at once. */
  async #takeBack(title: string): Promise<void> {
    this.#title(title);
    const { version, subject, diff } = await this.#repository.revert();
    sayCommit({ version, subject, diff });
    const since = Date.now();
    await this.#awaitEverywhere(version, atOnceMs);
    say.line(`all three have it ${seconds(Date.now() - since)} later: what was live before needs no waves`);
    await this.#fleet.awaitPanel((_, customer) => answerOf(customer, 8, version));
  }

  /** Wave by wave, until it is live. */
  async #tryGood(): Promise<void> {
    this.#title('act 2: a commit with a ninth host that works, customer by customer');
    await this.#stage.startBackends(10);
    const trial = await this.#commit(9, `Add a ninth host, ${String(this.#stage.ports.backends[9])}`);
    const { url } = this.#stage.envoy;
    say.line();
    say.line(
      'Each customer has a place, a hash of its id: {customers: 25%} takes those below 25 %. Below are x-shard-config and',
    );
    say.line('x-shard-version, of each customer at each Envoy, as in');
    say.line(`$ ${curlLine(url, 'acme-test')}`);
    let versions: string[] = [];
    for (const wave of waves) versions = await this.#showWave(trial, wave, versions);
    const { version } = trial.commit;
    await this.#fleet.awaitStatus('it did not go live', ({ live }) => live?.version === version, waveMs);
    this.#live = version;
    const samples = this.#traffic.since(trial.since);
    say.line();
    say.line(
      `live ${seconds(Date.now() - trial.since)} after the commit; ${samples.length} requests meanwhile, ${samples.filter(({ status }) => status !== 200).length} errors`,
    );
  }

  /** Waits until the wave has begun, and shows who has what. Returns what the Envoys run. */
  async #showWave({ commit, before }: Trial, wave: DemoWave, earlier: readonly string[]): Promise<string[]> {
    const number = waves.indexOf(wave) + 1;
    const { envoys } = this.#stage;
    const has = ({ id }: DemoEnvoy): boolean => wave.isByCustomers || id === this.#first.id;
    const versions = await this.#fleet.awaitVersions(
      `wave ${number} did not begin`,
      (seen) =>
        seen.join() !== earlier.join() &&
        envoys.every((envoy, at) => (has(envoy) ? seen[at]?.startsWith(commit.version) : seen[at] === before)) &&
        (!wave.isByCustomers || new Set(seen).size === 1),
      waveMs,
    );
    this.#title(`wave ${number} of ${waves.length}: ${wave.title}`);
    const expected = (envoy: string, customer: string) =>
      (wave.isByCustomers || envoy === this.#first.id) && wave.has(customer)
        ? answerOf(customer, 9, commit.version)
        : answerOf(customer, 8, before);
    const panel = await this.#fleet.awaitPanel(expected);
    for (const line of drawPanel(panel, commit.version)) say.line(line);
    if (number > 1) return versions;
    await pause(verdictMs);
    await this.#showStatus();
    return versions;
  }

  async #commit(index: 8 | 9, subject: string): Promise<Trial> {
    const since = Date.now();
    const commit = await this.#repository.change(ninthHost(this.#stage.ports.backends, index), subject);
    sayCommit(commit);
    return { commit, before: this.#live, since };
  }

  async #awaitEverywhere(version: string, timeoutMs?: number): Promise<void> {
    const isSo = (seen: readonly string[]): boolean => seen.every((each) => each === version);
    await this.#fleet.awaitVersions(`not every Envoy has ${version}`, isSo, timeoutMs);
    this.#live = version;
  }

  /** The Envoy that a wave of one takes: a hash of its node.id says so, for each commit the same. */
  get #first(): DemoEnvoy {
    const [first] = [...this.#stage.envoys].sort((a, b) => orderOf(a.id) - orderOf(b.id));
    return first ?? this.#stage.envoy;
  }

  #title(text: string): void {
    say.title(`t = ${Math.round((Date.now() - this.#startedAt) / 1000)} s: ${text}`);
  }

  #conclude(): number {
    const samples = this.#traffic.since(0);
    const { since, until } = this.#bad;
    const others = samples.filter(({ status, at }) => status !== 200 && (at < since || at > until));
    for (const { customer, envoy, status } of others.slice(0, 5))
      this.#expectations.fail(`${envoy}: ${status} for ${customer}, and not in the bad wave`);
    say.line();
    say.line(`${samples.length} requests in all, ${others.length} errors but those of the bad wave`);
    say.line('For a fleet of your own: "Roll out gradually" in docs/operating.md');
    return this.#expectations.conclude();
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
