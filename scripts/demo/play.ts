import { pause } from './ending.ts';
import { DemoError } from './error.ts';
import { Expectations } from './expectations.ts';
import { awaitAck, countTraffic, curlLine, readHeaders, readStat, until } from './observe.ts';
import type { Headers } from './observe.ts';
import type { Commit } from './repository.ts';
import { configFile, Repository, sayCommit } from './repository.ts';
import { say } from './say.ts';
import type { Stage } from './stage.ts';
import { first, firstConfig, slotsOf, steps } from './story.ts';
import type { Step } from './story.ts';

const requests = 60;
const crowd = Array.from({ length: requests }, (_, index) => `customer-${index + 1}`);

/** The scenes of the demo: each makes a change, shows the result, and compares it with what is expected. */
export class Play {
  readonly #stage: Stage;
  readonly #stepMs: number;
  #repository: Repository | null = null;
  #startedAt = 0;
  #seen = new Map<string, Headers>();
  readonly #expectations = new Expectations();

  constructor(stage: Stage, stepMs: number) {
    this.#stage = stage;
    this.#stepMs = stepMs;
  }

  /** Makes the first commit and starts everything. */
  async begin(envoy: string): Promise<void> {
    const { ports, repository: path, settings } = this.#stage;
    say.title('Starting a git repository, backends, the daemon and an Envoy');
    say.line(
      'What is committed in the repository is checked by the daemon, pushed to Envoy, and used for the next request.',
    );
    this.#repository = await Repository.create(path);
    const files = { [configFile]: firstConfig(ports.backends), 'shardplane.yaml': settings };
    const commit = await this.#repository.commit(files, first.subject);
    say.line(`the repository  ${path}`);
    await this.#stage.startBackends(first.backends);
    await this.#stage.startDaemon();
    await this.#stage.startEnvoys(envoy);
    this.#startedAt = Date.now();
    await this.#show(commit, first);
    say.line();
    say.line('x-shard-assignment: the hosts of the customer, best first; x-shard-config: how many / of how many;');
    say.line('x-shard-version: the commit. No request goes to a host that is not in its customer’s assignment.');
  }

  /** Tells the user how to try it. */
  tellHow(): void {
    const { repository, shardplane, envoy } = this.#stage;
    say.title('Meanwhile, in another terminal, change it yourself:');
    say.line(`cd ${repository}`);
    say.line(`sed -i 's/customer-C: {shard_size: 2}/customer-C: {shard_size: 5}/' ${configFile}    # or your editor`);
    say.line('git commit -am "Give customer-C 5 hosts"');
    say.line('sleep 1                              # Envoy looks for new values every 500 ms');
    say.line(curlLine(envoy.url, 'customer-C'));
    say.line('git revert --no-edit HEAD            # takes it back');
    say.line(`${shardplane} status     # also: history, explain customer-C, check, --help`);
  }

  /** The commits at t = step and t = 2 * step. */
  async runSteps(): Promise<void> {
    for (const [index, step] of steps(this.#stage.ports.backends).entries()) {
      const at = this.#stepMs * (index + 1);
      await pause(Math.max(0, this.#startedAt + at - Date.now()));
      say.title(`t = ${at / 1000} s: ${step.title}`);
      await this.#stage.startBackends(step.backends);
      await this.#change(step).catch((error: unknown) => this.#onUnseen(error));
    }
  }

  async #change(step: Step): Promise<void> {
    const commit = await this.#repository?.change(step.values, step.subject);
    if (commit) await this.#show(commit, step);
  }

  /** The user may have committed something else in the meantime, valid or not: the demo goes on. */
  #onUnseen(error: unknown): void {
    if (!(error instanceof DemoError)) throw error;
    this.#expectations.fail(`${error.message}; ${this.#stage.shardplane} status tells more`);
  }

  /** The exit code. */
  conclude(): number {
    return this.#expectations.conclude();
  }

  async #show(commit: Commit, scene: Scene): Promise<void> {
    await this.#showCommit(commit);
    await this.#showHeaders(commit.version, scene);
    await this.#showTraffic(scene);
  }

  async #showCommit({ version, subject, diff }: Commit): Promise<void> {
    const { shardplane, repository, envoy } = this.#stage;
    sayCommit({ version, subject, diff });
    const node = await awaitAck(shardplane, repository, version);
    say.line(`ACK    ${version.slice(0, 12)}  by ${node} (shardplane status --json)`);
    const text = await readStat(envoy.adminSocket, 'runtime.version_text');
    this.#expectations.expect('Envoy’s runtime.version_text', text, version);
  }

  async #showHeaders(version: string, { customer: main, expected }: Scene): Promise<void> {
    const { url } = this.#stage.envoy;
    const { lines } = await this.#freshHeaders(main, version);
    say.line();
    say.line(`$ ${curlLine(url, main)}`);
    lines.forEach((line) => say.line(line));
    say.line();
    for (const [customer, config] of Object.entries(expected)) {
      const headers = await this.#freshHeaders(customer, version);
      const before = this.#seen.get(customer);
      const earlier = before ? `${before.config} ${before.assignment}`.padEnd(15) + ' ->  ' : '';
      say.line(`${customer}  ${earlier}${headers.config} ${headers.assignment}`);
      this.#seen.set(customer, headers);
      this.#expectations.expect(`${customer}'s x-shard-config`, headers.config, config);
      this.#expectations.expect(
        `${customer}'s x-shard-assignment`,
        headers.assignment,
        `[${slotsOf(customer, config).join(',')}]`,
      );
    }
  }

  /** Envoy's filters check for new values at most every 500 ms, on each worker. */
  async #freshHeaders(customer: string, version: string): Promise<Headers> {
    return await until(`curl has not seen ${version.slice(0, 12)}`, async () => {
      const headers = await readHeaders(this.#stage.envoy.url, customer);
      return headers.version === version.slice(0, 12) ? headers : null;
    });
  }

  async #showTraffic({ expected, backends }: Scene): Promise<void> {
    say.line();
    say.line('who answers (backend: number of requests)');
    for (const [customer, config] of Object.entries(expected)) {
      const counts = await countTraffic(this.#stage.envoy.url, Array<string>(requests).fill(customer));
      say.line(`${customer}, ${requests} paths  ${format(counts)}`);
      const allowed = slotsOf(customer, config).map(String);
      this.#expectations.expect(
        `${customer}'s backends`,
        [...counts.keys()].filter((name) => !allowed.includes(name)).join(),
        '',
      );
    }
    const counts = await countTraffic(this.#stage.envoy.url, crowd);
    say.line(`${requests} others, 1 each    ${format(counts)}`);
    const all = Array.from({ length: backends }, (_, index) => String(index + 1));
    this.#expectations.expect('the backends that answer', [...counts.keys()].join(), all.join());
  }
}

/** What a scene expects. */
interface Scene {
  /** The customer whose headers are shown in full. */
  readonly customer: string;
  readonly backends: number;
  readonly expected: Readonly<Record<string, string>>;
}

function format(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${name}: ${count}`).join('  ');
}
