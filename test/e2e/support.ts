import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { parseAddress } from '../../src/envoy/address.ts';
import { makeBootstrap } from '../../src/envoy/bootstrap.ts';
import { makeClient, type Answer, type Client } from '../envoy/support.ts';
import { startBackends, type Backend } from '../helpers/backend.ts';
import { startDaemon, type TestDaemon } from '../helpers/daemon.ts';
import { orderOf } from '../helpers/documented-hash.ts';
import { luaFilters, newestEnvoy, startEnvoy, type Envoy } from '../helpers/envoy.ts';
import { makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';

/** The config's name in the repository. */
export const file = 'shard-config.yaml';

/** What a config of a test says; hosts are added by the scene. */
export interface Values {
  readonly size?: number;
  readonly customers?: Record<string, number>;
  /** How many of the scene's backends are in it. Default: all. */
  readonly hosts?: number;
  readonly runtime?: object;
}

/** A repository, the daemon, backends and Envoys, all real. */
export interface Scene extends AsyncDisposable {
  readonly repository: TestRepository;
  readonly backends: Backend[];
  readonly daemon: TestDaemon;
  readonly envoys: Envoy[];
  /** The first Envoy, and a client of it. */
  readonly envoy: Envoy;
  readonly client: Client;
  /** A config's text. */
  text(values?: Values): string;
  /** Commits a config; returns its SHA. */
  commit(values?: Values, message?: string): Promise<string>;
  /** Commits a config and waits until it is live and proven. */
  release(values?: Values, message?: string): Promise<string>;
  /** Waits until the first Envoy answers this customer with this `x-shard-config`; returns that answer. */
  answers(customer: string, config: string): Promise<Answer>;
  /** One more, of that node.id; the caller's to stop. */
  launchEnvoy(id: string): Promise<Envoy>;
}

export interface SceneOptions {
  /** Versions of the Envoys to start. Default: the newest. */
  readonly envoys?: readonly string[];
  readonly backends?: number;
  readonly settings?: object;
  /** What is committed before the daemon starts; null: nothing. Default: a config of size 2. */
  readonly first?: Values | null;
}

/** Starts a scene, and waits until the first commit is live on all its Envoys. */
export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const { envoys: versions = [newestEnvoy], backends: count = 4, settings, first = {} } = options;
  const stack = new AsyncDisposableStack();
  try {
    const folder = stack.use(await temporaryFolder());
    const repository = stack.use(await makeRepository());
    const backends = await startBackends(count);
    backends.forEach((backend) => stack.use(backend));
    const text = (values: Values = {}) => toText(values, backends);
    const commit = (values?: Values, message?: string) => repository.commit({ [file]: text(values) }, message);
    const version = first === null ? null : await commit(first, 'first');
    const daemon = stack.use(
      await startDaemon({ repository: repository.path, folder: folder.path, ...(settings && { settings }) }),
    );
    const begin = (envoy: string | undefined, at: number) =>
      beginEnvoy({ daemon, backends, version: envoy, id: idOf(at) });
    const envoys = await Promise.all(versions.map(begin));
    envoys.forEach((envoy) => stack.use(envoy));
    if (version !== null) await daemon.waitFor('the first commit is live', isProvenOn(version, envoys.length));
    const client = envoys[0] ? stack.use(makeClient(await envoys[0].port())) : null;
    return {
      repository,
      backends,
      daemon,
      envoys,
      get envoy() {
        return envoys[0]!;
      },
      get client() {
        return client!;
      },
      text,
      commit,
      release: async (values, message) => {
        const sha = await commit(values, message);
        await daemon.waitFor(`${sha} is live`, isProvenOn(sha, envoys.length));
        return sha;
      },
      answers: (customer, config) =>
        until(`${customer} has ${config}`, async () => {
          const answer = await client!.as(customer);
          return answer.headers['x-shard-config'] === config ? answer : null;
        }),
      launchEnvoy: (id) => beginEnvoy({ daemon, backends, version: newestEnvoy, id }),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

type IsStatus = Parameters<TestDaemon['waitFor']>[1];

function isProvenOn(version: string, nodes: number): IsStatus {
  return ({ live, counts }) =>
    live?.version === version &&
    (nodes === 0 || (live.proven && counts.connected >= nodes && counts.acked === counts.connected));
}

function toText({ size = 2, customers = {}, hosts, runtime }: Values, backends: readonly Backend[]): string {
  return stringify({
    shuffle_sharding: {
      default_shard_size: size,
      customer: Object.fromEntries(Object.entries(customers).map(([id, shard_size]) => [id, { shard_size }])),
      hosts: backends.slice(0, hosts).map(({ address }) => address),
    },
    ...(runtime && { runtime }),
  });
}

interface Begin {
  readonly daemon: TestDaemon;
  readonly backends: readonly Backend[];
  readonly version: string | undefined;
  readonly id: string;
}

function beginEnvoy({ daemon, backends, version, id }: Begin): Promise<Envoy> {
  const bootstrap = makeBootstrap({
    xds: { host: '127.0.0.1', port: daemon.xdsPort },
    listen: { host: '127.0.0.1', port: 0 },
    adminSocket: 'ADMIN_SOCKET',
    endpoints: backends.map(({ address }) => parseAddress(address)!),
    lua: luaFilters,
    node: { id },
  });
  return startEnvoy({ bootstrap, ...(version !== undefined && { version }) });
}

function idOf(at: number): string {
  return `envoy-${at}`;
}

/** Places in the scene's `envoys`, of so many, in the order in which waves take them. */
export function placesInWaves(envoys: number): number[] {
  const places = Array.from({ length: envoys }, (_, at) => at);
  return places.sort((a, b) => orderOf(idOf(a)) - orderOf(idOf(b)));
}

/** The number of NACKs that an Envoy has sent. */
export async function rejections(envoy: Envoy): Promise<number> {
  return Number(await envoy.stat('runtime.update_rejected'));
}

/** The version that an Envoy runs: `runtime.version_text`. */
export function versionOf(envoy: Envoy): Promise<string | null> {
  return envoy.stat('runtime.version_text');
}

/** Looks at the versions that Envoys run, until `stop`: it resolves to those of each, one after the other. */
export function watchVersions(envoys: readonly Envoy[]): { stop(): Promise<string[][]> } {
  let isOver = false;
  const looking = envoys.map(async (envoy) => {
    const seen: string[] = [];
    while (!isOver) {
      const version = (await versionOf(envoy)) ?? 'none';
      if (seen.at(-1) !== version) seen.push(version);
      await pause(10);
    }
    return seen;
  });
  return {
    stop: () => {
      isOver = true;
      return Promise.all(looking);
    },
  };
}

/** How many responses an Envoy has accepted on its RTDS layer, since it started. */
export async function pushesTaken(envoy: Envoy): Promise<number> {
  return Number(await envoy.stat('runtime.update_success'));
}

/** Requests one after another, until `stop`. */
export interface Traffic {
  /** Waits for so many more answers. */
  atLeast(more: number): Promise<void>;
  /** All the answers; rejects when a request got none. */
  stop(): Promise<Answer[]>;
}

/** Sends requests of customer-A without a pause. */
export function startTraffic(client: Client): Traffic {
  const answers: Answer[] = [];
  let ends = false;
  let failure: unknown = null;
  const run = async () => {
    while (!ends) answers.push(await client.as('customer-A', `/${answers.length}`));
  };
  const running = run().catch((error: unknown) => (failure = error));
  return {
    atLeast: async (more) => {
      const enough = answers.length + more;
      await until(`${more} more answers`, () => answers.length >= enough || failure !== null);
    },
    stop: async () => {
      ends = true;
      await running;
      if (failure !== null) throw new Error('a request got no answer', { cause: failure });
      return answers;
    },
  };
}
