import { DemoError } from '../error.ts';
import { ask, readStat, readStatus, until } from '../observe.ts';
import type { Answer, Status } from '../observe.ts';
import type { DemoEnvoy, Stage } from '../stage.ts';
import { customers, shown } from './story.ts';

/** How long the daemon may take to see that a release is bad. */
const verdictMs = 40_000;
/** Requests at a time to each Envoy: a wave must not be over before all customers are looked at, on a busy machine neither. */
const lanes = 10;

/** What each customer gets of each Envoy, by node.id and customer. */
export type Panel = ReadonlyMap<string, ReadonlyMap<string, Answer>>;

/** What must be in a panel. */
export type Expected = (envoy: string, customer: string) => Answer;

/** The Envoys of the demo, and what can be seen of them. */
export class Fleet {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** The daemon's view. */
  async awaitStatus(what: string, isSo: (status: Status) => boolean, timeoutMs?: number): Promise<void> {
    const url = `http://127.0.0.1:${this.#stage.ports.http}`;
    await until(what, async () => (isSo(await readStatus(url)) ? true : null), timeoutMs);
  }

  /** Waits until the release is rolled back. */
  async awaitRollback(version: string): Promise<void> {
    let outcome = '';
    const isOver = ({ head }: Status): boolean => {
      outcome = head?.version === version ? head.outcome : '';
      return outcome === 'rolled_back' || outcome === 'live';
    };
    await this.awaitStatus('it was not rolled back', isOver, verdictMs);
    if (outcome === 'live') throw new DemoError('it went live: no check has stopped it', 'see the log above');
  }

  /** Waits for what the Envoys themselves say that they run, in the order of the Envoys; returns it. */
  async awaitVersions(
    what: string,
    isSo: (versions: readonly string[]) => boolean,
    timeoutMs?: number,
  ): Promise<string[]> {
    let seen: string[] = [];
    return await until(
      () => `${what}; ${this.#stage.envoys.map(({ id }, at) => `${id} has ${seen[at] ?? 'nothing'}`).join(', ')},`,
      async () => {
        seen = await this.#readAll(this.#stage.envoys, 'runtime.version_text');
        return isSo(seen) ? seen : null;
      },
      timeoutMs,
    );
  }

  /** How many pushes each of these Envoys has accepted since it started. */
  async countPushes(envoys: readonly DemoEnvoy[]): Promise<string> {
    return (await this.#readAll(envoys, 'runtime.update_success')).join();
  }

  /** Waits until each customer gets of each Envoy what it must. Envoy's filters look for new values every 500 ms. */
  async awaitPanel(expected: Expected): Promise<Panel> {
    let difference = '';
    return await until(
      () => difference,
      async () => {
        // The few tell when the filters have the new values; only then is it worth to ask for all.
        difference = findDifference(await look(this.#stage.envoys, shown), expected);
        if (difference !== '') return null;
        const panel = await look(this.#stage.envoys, customers);
        difference = findDifference(panel, expected);
        return difference === '' ? panel : null;
      },
    );
  }

  async #readAll(envoys: readonly DemoEnvoy[], name: string): Promise<string[]> {
    return await Promise.all(envoys.map(({ adminSocket }) => readStat(adminSocket, name)));
  }
}

async function look(envoys: readonly DemoEnvoy[], ids: readonly string[]): Promise<Panel> {
  const each = async ({ id, url }: DemoEnvoy) => [id, await askAll(url, ids)] as const;
  return new Map(await Promise.all(envoys.map(each)));
}

async function askAll(url: string, ids: readonly string[]): Promise<Map<string, Answer>> {
  const answers = new Map<string, Answer>();
  for (let at = 0; at < ids.length; at += lanes) {
    const each = async (id: string) => answers.set(id, await ask(url, id));
    await Promise.all(ids.slice(at, at + lanes).map(each));
  }
  return answers;
}

/** The first difference, or ''. */
function findDifference(panel: Panel, expected: Expected): string {
  for (const [envoy, answers] of panel)
    for (const [customer, answer] of answers) {
      const [seen, wanted] = [describe(answer), describe(expected(envoy, customer))];
      if (seen !== wanted) return `${customer} gets of ${envoy}: ${seen}; and not: ${wanted},`;
    }
  return '';
}

function describe({ status, config, assignment, version }: Answer): string {
  return `${status} ${config} ${assignment} ${version}`;
}
