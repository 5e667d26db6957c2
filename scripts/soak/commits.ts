import type { TestRepository } from '../../test/helpers/git.ts';
import type { Random } from './random.ts';

/** The path of the config in the repository. */
const FILE = 'shard-config.yaml';
const CUSTOMERS = 50;

/** The number of commits by kind. */
export type Committed = Readonly<Record<'valid' | 'invalid' | 'revert' | 'burst', number>>;

/** Makes commits to a repository: most are valid, some are not, some revert the one before, some come five at once. */
export class Commits {
  readonly made: { -readonly [K in keyof Committed]: number } = { valid: 0, invalid: 0, revert: 0, burst: 0 };
  readonly #repository: Pick<TestRepository, 'commit' | 'git'>;
  readonly #random: Random;
  #number = 0;

  constructor(repository: Pick<TestRepository, 'commit' | 'git'>, random: Random) {
    this.#repository = repository;
    this.#random = random;
  }

  /** The number of commits. */
  get total(): number {
    return this.#number;
  }

  async next(): Promise<void> {
    const kind = this.#random.pick([
      'valid',
      'valid',
      'valid',
      'valid',
      'valid',
      'invalid',
      'invalid',
      'revert',
      'burst',
    ] as const);
    if (kind === 'revert' && this.#number < 2) {
      await this.next();
      return;
    }
    this.made[kind] += 1;
    if (kind === 'burst') for (let left = 5; left > 0; left -= 1) await this.valid();
    else if (kind === 'revert') await this.#revert();
    else await (kind === 'valid' ? this.valid() : this.#invalid());
  }

  /** Commits a valid config; returns its SHA. */
  async valid(): Promise<string> {
    return await this.#commit(this.#config(this.#random.between(8, 12)));
  }

  async #invalid(): Promise<void> {
    const config = this.#config(8);
    const faults = [
      `${config}  unknown_key: 1\n`,
      config.replace('total_hosts: 8', 'total_hosts: many'),
      `${config}\t- [`,
      '',
    ];
    await this.#commit(this.#random.pick(faults));
  }

  async #revert(): Promise<void> {
    this.#number += 1;
    // `git revert` fails if the last commit changed nothing.
    await this.#repository.git('revert', '--no-commit', 'HEAD');
    await this.#repository.git('commit', '--quiet', '--allow-empty', '-m', `change ${this.#number}: revert`);
  }

  async #commit(content: string): Promise<string> {
    this.#number += 1;
    return await this.#repository.commit({ [FILE]: content }, `change ${this.#number}`);
  }

  #config(hosts: number): string {
    const customers = Array.from(
      { length: CUSTOMERS },
      (_, at) => `    c${at}: {shard_size: ${this.#random.between(1, 8)}}`,
    );
    return `shuffle_sharding:\n  total_hosts: ${hosts}\n  default_shard_size: 2\n  customer:\n${customers.join('\n')}\n`;
  }
}
