import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { gitEnv } from '../helpers/git.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

interface VictimOptions {
  /** Its working directory, with the state in it. */
  readonly folder: string;
  readonly repository: string;
  /** For xDS. */
  readonly port: number;
  readonly settings?: object;
}

/** The daemon as a child that is killed before it may even have begun. */
export class Victim {
  /** Its HTTP port, once it listens. */
  httpPort: number | null = null;
  readonly #args: readonly string[];
  readonly #cwd: string;
  #child: ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();

  constructor({ folder, repository, port, settings }: VictimOptions) {
    this.#cwd = folder;
    const flags = ['--repository', repository, '--state', join(folder, 'state')];
    if (settings !== undefined) {
      writeFileSync(join(folder, 'shardplane.yaml'), stringify(settings));
      flags.push('--config', join(folder, 'shardplane.yaml'));
    }
    this.#args = [main, 'serve', ...flags, '--xds-port', String(port), '--http-port', '0'];
  }

  start(): void {
    this.httpPort = null;
    const child = spawn(process.execPath, this.#args, {
      cwd: this.#cwd,
      env: gitEnv(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-2_000);
      this.httpPort ??= Number(/status on http:.*:(\d+)/.exec(said)?.[1] ?? 0) || null;
    });
    this.#ended = new Promise<void>((resolve, reject) => {
      child.once('close', (code, signal) => {
        if (signal === 'SIGKILL') resolve();
        else reject(new Error(`the daemon ended by itself with ${String(code)}: ${said}`));
      });
    });
    this.#ended.catch(() => undefined);
    this.#child = child;
  }

  get listened(): boolean {
    return this.httpPort !== null;
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }
}
