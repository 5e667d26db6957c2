import { ask, readStat, readStatus, until } from '../observe.ts';
import type { Answer, Status } from '../observe.ts';
import type { DemoEnvoy, Stage } from '../stage.ts';
import { customers } from './story.ts';

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
        const panel = await look(this.#stage.envoys);
        difference = findDifference(panel, expected);
        return difference === '' ? panel : null;
      },
    );
  }

  async #readAll(envoys: readonly DemoEnvoy[], name: string): Promise<string[]> {
    return await Promise.all(envoys.map(({ adminSocket }) => readStat(adminSocket, name)));
  }
}

async function look(envoys: readonly DemoEnvoy[]): Promise<Panel> {
  const each = async ({ id, url }: DemoEnvoy): Promise<[string, Map<string, Answer>]> => {
    const answers = new Map<string, Answer>();
    for (const customer of customers) answers.set(customer, await ask(url, customer));
    return [id, answers];
  };
  return new Map(await Promise.all(envoys.map(each)));
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
