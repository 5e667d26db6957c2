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

/** The programs of the demo, and a temporary folder for all its files. */
export class Stage {
  readonly ports: Ports;
  readonly children = new Children();
  /** The temporary folder. */
  readonly folder: string;
  readonly repository: string;
  /** An executable that runs the CLI of this checkout. */
  readonly shardplane: string;
  readonly adminSocket: string;
  /** Where Envoy listens. */
  readonly url: string;
  #backends = 0;

  private constructor(ports: Ports, folder: string) {
    this.ports = ports;
    this.folder = folder;
    this.repository = join(folder, 'repository');
    this.shardplane = join(folder, 'shardplane');
    this.adminSocket = join(folder, 'admin.sock');
    this.url = `http://127.0.0.1:${ports.envoy}/`;
  }

  static async create(ports: Ports): Promise<Stage> {
    const stage = new Stage(ports, await realpath(await mkdtemp(join(tmpdir(), 'shardplane-demo-'))));
    await writeFile(stage.shardplane, `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`);
    await chmod(stage.shardplane, 0o755);
    return stage;
  }

  /** The daemon's settings: the default ports, on loopback only. */
  get settings(): string {
    const { xds, http } = this.ports;
    return `xds: {address: 127.0.0.1, port: ${xds}}\nhttp: {port: ${http}}\nlog: {format: text}\n`;
  }

  /** Starts backends until there are `count`. */
  async startBackends(count: number): Promise<void> {
    const from = this.#backends;
    const ports = this.ports.backends.slice(from, count);
    if (ports.length === 0) return;
    this.#backends = count;
    const name = `backends ${from + 1}-${count}`;
    const args = [backend, String(from + 1), ...ports.map(String)];
    this.children.start({ name, command: process.execPath, args, cwd: this.folder });
    for (const port of ports)
      await untilAnswers(`backend on port ${port} does not answer`, `http://127.0.0.1:${port}/`);
    say.line(`${name.padEnd(15)} 127.0.0.1:${ports[0]}-${ports.at(-1)}`);
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
    await untilAnswers('the daemon is not ready', `http://127.0.0.1:${http}/readyz`);
    say.line(`the daemon      shardplane serve: xDS on 127.0.0.1:${xds}, status on http://127.0.0.1:${http}`);
  }

  /** Starts Envoy with the bootstrap that `shardplane bootstrap` prints, all 12 endpoints in it. */
  async startEnvoy(binary: string): Promise<void> {
    const { xds, envoy, backends } = this.ports;
    const endpoints = backends.map((port) => `127.0.0.1:${port}`).join(',');
    const where = ['--xds', `127.0.0.1:${xds}`, '--listen', `127.0.0.1:${envoy}`, '--admin', this.adminSocket];
    const { stdout } = await run(this.shardplane, [
      'bootstrap',
      ...where,
      '--endpoints',
      endpoints,
      '--node',
      'demo-envoy',
    ]);
    const bootstrap = join(this.folder, 'envoy.yaml');
    await writeFile(bootstrap, stdout);
    const flags = ['--concurrency', '1', '--log-level', 'warning', '--disable-hot-restart'];
    this.children.start({ name: 'Envoy', command: binary, args: ['-c', bootstrap, ...flags], cwd: this.folder });
    await until('Envoy is not ready', async () => {
      const { stdout: ready } = await run('curl', ['-s', '--unix-socket', this.adminSocket, 'http://admin/ready']);
      return ready.includes('LIVE') ? true : null;
    });
    say.line(`Envoy           127.0.0.1:${envoy}, with the bootstrap of: shardplane bootstrap`);
  }

  /** Removes the folder. */
  async clear(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function untilAnswers(what: string, url: string): Promise<void> {
  await until(what, async () => ((await fetch(url)).ok ? true : null));
}
