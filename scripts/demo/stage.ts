import { execFile } from 'node:child_process';
import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Children } from './children.ts';
import { until } from './observe.ts';
import type { Ports } from './ports.ts';
import { say } from './say.ts';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const backend = fileURLToPath(new URL('backend.ts', import.meta.url));

/** An Envoy of the demo. */
export interface DemoEnvoy {
  /** xDS node.id. */
  readonly id: string;
  /** Where it listens. */
  readonly url: string;
  readonly adminSocket: string;
}

/** The programs of the demo, and a temporary folder for all its files. */
export class Stage {
  readonly ports: Ports;
  readonly children = new Children();
  /** The temporary folder. */
  readonly folder: string;
  readonly repository: string;
  /** An executable that runs the CLI of this checkout. */
  readonly shardplane: string;
  readonly envoys: readonly DemoEnvoy[];
  #backends = 0;

  private constructor(ports: Ports, folder: string) {
    this.ports = ports;
    this.folder = folder;
    this.repository = join(folder, 'repository');
    this.shardplane = join(folder, 'shardplane');
    this.envoys = ports.envoys.map((port, at) => ({
      id: ports.envoys.length === 1 ? 'demo-envoy' : `edge-${at + 1}`,
      url: `http://127.0.0.1:${port}/`,
      adminSocket: join(folder, `admin-${at + 1}.sock`),
    }));
  }

  static async create(ports: Ports): Promise<Stage> {
    const stage = new Stage(ports, await realpath(await mkdtemp(join(tmpdir(), 'shardplane-demo-'))));
    await writeFile(stage.shardplane, `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`);
    await chmod(stage.shardplane, 0o755);
    return stage;
  }

  /** The first of them. */
  get envoy(): DemoEnvoy {
    const [first] = this.envoys;
    if (first === undefined) throw new Error('the demo has no Envoy');
    return first;
  }

  /** The daemon's settings: the default ports, on loopback only. */
  get settings(): string {
    const { xds, http } = this.ports;
    return `xds: {address: 127.0.0.1, port: ${xds}}\nhttp: {port: ${http}}\nlog: {format: text}\n`;
  }

  /** Starts backends until there are `count`; the new ones answer with that status. */
  async startBackends(count: number, status = 200): Promise<void> {
    const from = this.#backends;
    const ports = this.ports.backends.slice(from, count);
    if (ports.length === 0) return;
    this.#backends = count;
    const name = ports.length === 1 ? `backend ${count}` : `backends ${from + 1}-${count}`;
    const args = [backend, '--status', String(status), String(from + 1), ...ports.map(String)];
    this.children.start({ name, command: process.execPath, args, cwd: this.folder });
    for (const port of ports)
      await untilAnswers(`backend on port ${port} does not answer`, `http://127.0.0.1:${port}/`, status);
    say.line(`${name.padEnd(15)} ${span(ports)}${status === 200 ? '' : `: answers ${status}`}`);
  }

  /** Starts the daemon in the repository and shows its log. */
  async startDaemon(): Promise<void> {
    const { xds, http } = this.ports;
    this.children.start({
      name: 'the daemon',
      command: process.execPath,
      args: [cli, 'serve'],
      cwd: this.repository,
      onLine: (line) => say.quote('daemon', line),
    });
    await untilAnswers('the daemon is not ready', `http://127.0.0.1:${http}/readyz`, 200);
    say.line(`the daemon      shardplane serve: xDS on 127.0.0.1:${xds}, status on http://127.0.0.1:${http}`);
  }

  /** Starts the Envoys with the bootstraps that `shardplane bootstrap` prints, all 12 endpoints in each. */
  async startEnvoys(binary: string): Promise<void> {
    const { envoys } = this.ports;
    await Promise.all(this.envoys.map((envoy, at) => this.#startEnvoy(binary, envoy, envoys[at] ?? 0)));
    const name = envoys.length === 1 ? 'Envoy' : this.envoys.map(({ id }) => id).join(' ');
    say.line(`${name.padEnd(15)} ${span(envoys)}, with the bootstrap of: shardplane bootstrap`);
  }

  async #startEnvoy(binary: string, { id, adminSocket }: DemoEnvoy, port: number): Promise<void> {
    const { xds, backends } = this.ports;
    const endpoints = backends.map((each) => `127.0.0.1:${each}`).join(',');
    const where = ['--xds', `127.0.0.1:${xds}`, '--listen', `127.0.0.1:${port}`, '--admin', adminSocket];
    const { stdout } = await run(this.shardplane, ['bootstrap', ...where, '--endpoints', endpoints, '--node', id]);
    const bootstrap = join(this.folder, `${id}.yaml`);
    await writeFile(bootstrap, stdout);
    const flags = ['--concurrency', '1', '--log-level', 'warning', '--disable-hot-restart'];
    const name = this.envoys.length === 1 ? 'Envoy' : `Envoy ${id}`;
    this.children.start({ name, command: binary, args: ['-c', bootstrap, ...flags], cwd: this.folder });
    await until(`${name} is not ready`, async () => {
      const { stdout: ready } = await run('curl', ['-s', '--unix-socket', adminSocket, 'http://admin/ready']);
      return ready.includes('LIVE') ? true : null;
    });
  }

  /** Removes the folder. */
  async clear(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** `127.0.0.1:8001-8008`. */
function span(ports: readonly number[]): string {
  const last = ports.length === 1 ? '' : `-${ports.at(-1)}`;
  return `127.0.0.1:${ports[0]}${last}`;
}

async function untilAnswers(what: string, url: string, status: number): Promise<void> {
  await until(what, async () => ((await fetch(url)).status === status ? true : null));
}
