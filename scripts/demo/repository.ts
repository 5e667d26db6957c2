import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseDocument } from 'yaml';
import { pause } from './ending.ts';
import { DemoError } from './error.ts';
import { say } from './say.ts';

const run = promisify(execFile);
export const configFile = 'shard-config.yaml';

/** A commit of the demo, for people to read. */
export interface Commit {
  readonly version: string;
  readonly subject: string;
  /** The changed lines, with their + and -. */
  readonly diff: readonly string[];
}

/** Shows a commit to the user. */
export function sayCommit({ version, subject, diff }: Commit): void {
  say.line();
  say.line(`commit ${version.slice(0, 12)}  ${subject}`);
  diff.forEach((line) => say.change(line));
}

/** New values, by their paths in the config. */
export type Values = readonly (readonly [path: readonly string[], value: unknown])[];

/** The demo's git repository. */
export class Repository {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Creates it with an identity of its own, independent of the user's git config. */
  static async create(path: string): Promise<Repository> {
    await mkdir(path);
    const repository = new Repository(path);
    await repository.#git('init', '--quiet', '--initial-branch=main');
    const config = {
      'user.name': 'shardplane demo',
      'user.email': 'demo@localhost',
      'commit.gpgSign': 'false',
      'core.hooksPath': '/dev/null',
    };
    for (const [key, value] of Object.entries(config)) await repository.#git('config', key, value);
    return repository;
  }

  /** Writes files and commits them. */
  async commit(files: Readonly<Record<string, string>>, subject: string): Promise<Commit> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.path, name), text);
    await this.#git('add', ...Object.keys(files));
    await this.#git('commit', '--quiet', '--allow-empty', '-m', subject);
    return await this.#head();
  }

  /** Takes the newest commit back, as the user would. */
  async revert(): Promise<Commit> {
    await this.#git('revert', '--no-edit', 'HEAD');
    return await this.#head();
  }

  async #head(): Promise<Commit> {
    const shown = await this.#git('show', '--format=', '--unified=0', 'HEAD', '--', configFile);
    const diff = shown.split('\n').filter((line) => /^[+-](?![+-])/.test(line));
    const subject = await this.#git('log', '-1', '--format=%s');
    return { version: await this.#git('rev-parse', 'HEAD'), subject, diff };
  }

  /** Sets values by their paths in the config, and commits; keeps comments and the user's commits. */
  async change(values: Values, subject: string): Promise<Commit> {
    await this.#untilCommitted();
    const text = await readFile(join(this.path, configFile), 'utf8');
    return await this.commit({ [configFile]: setValues(text, values) }, subject);
  }

  /** The user may have uncommitted changes, which the demo must not commit. */
  async #untilCommitted(): Promise<void> {
    for (let said = false; (await this.#git('status', '--porcelain', '--untracked-files=no')) !== ''; said = true) {
      if (!said) say.line('waiting for you: commit your edit (or: git checkout .), and the demo goes on');
      await pause(500);
    }
  }

  async #git(...args: string[]): Promise<string> {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
    const { stdout } = await run('git', args, { cwd: this.path, env: Object.fromEntries(own), timeout: 30_000 });
    return stdout.trim();
  }
}

function setValues(text: string, values: Values): string {
  try {
    const document = parseDocument(text);
    for (const [path, value] of values) document.setIn(path, document.createNode(value));
    return document.toString({ flowCollectionPadding: false });
  } catch {
    throw new DemoError(
      `this step is skipped: ${configFile} is not valid YAML now`,
      'git revert the commit that broke it',
    );
  }
}
