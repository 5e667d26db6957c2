import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** $PROMETHEUS_BIN, or one on PATH, or the one that scripts/test.sh brings. */
function findPrometheus(): string {
  const { PROMETHEUS_BIN: named, SHARDPLANE_TOOLS: tools = join(root, '.tools'), PATH: path = '' } = process.env;
  if (named) return named;
  const onPath = path.split(delimiter).map((folder) => join(folder, 'prometheus'));
  return onPath.find((file) => existsSync(file)) ?? join(tools, 'prometheus/usr/bin/prometheus');
}

/** Its sibling, which checks and tests rules. */
export function findPromtool(): string {
  return join(dirname(findPrometheus()), 'promtool');
}

/** For the `skip` option of a test: a reason when there is no Prometheus. With REQUIRE_PROMETHEUS=1 nothing is skipped. */
export function skipWithoutPrometheus(): string | false {
  if (process.env.REQUIRE_PROMETHEUS === '1' || existsSync(findPrometheus())) return false;
  return 'Prometheus is missing: ./scripts/test.sh brings it where there is apt-get, or set PROMETHEUS_BIN';
}

export interface Prometheus extends AsyncDisposable {
  readonly url: string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Starts a real Prometheus with those jobs, and waits until it is ready. It scrapes every half second. */
export async function startPrometheus(jobs: readonly object[]): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'shardplane-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    stringify({ global: { scrape_interval: '500ms', scrape_timeout: '500ms' }, scrape_configs: jobs }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const flags = { 'config.file': config, 'storage.tsdb.path': join(folder, 'data'), 'web.listen-address': address };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(findPrometheus(), args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  let logs = '';
  child.stderr.on('data', (chunk: Buffer) => (logs += chunk.toString()));
  child.on('error', (error) => (logs += error.message));
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    child.kill('SIGKILL');
    await gone;
    running.delete(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://${address}`;
  try {
    await until('Prometheus is ready', () => {
      if (child.exitCode !== null || child.pid === undefined) throw new Error(`Prometheus did not start: ${logs}`);
      return fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}
