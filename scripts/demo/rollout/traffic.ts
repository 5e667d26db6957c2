import { ending, pause } from '../ending.ts';
import { ask } from '../observe.ts';
import type { Answer } from '../observe.ts';
import type { DemoEnvoy } from '../stage.ts';

/** Requests a second to each Envoy. */
export const rate = 25;

/** An answer that the traffic got. */
export interface Sample extends Answer {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The Envoy's node.id. */
  readonly envoy: string;
  readonly customer: string;
}

/** Steady requests of all customers in turn to all Envoys. */
export class Traffic {
  readonly #customers: readonly string[];
  readonly #samples: Sample[] = [];

  constructor(customers: readonly string[]) {
    this.#customers = customers;
  }

  /** Sends until the demo ends. */
  start(envoys: readonly DemoEnvoy[]): void {
    for (const [index, envoy] of envoys.entries()) void this.#send(envoy, index).catch(() => undefined);
  }

  /** What came since then. */
  since(at: number): Sample[] {
    return this.#samples.filter((sample) => sample.at >= at);
  }

  async #send({ id, url }: DemoEnvoy, first: number): Promise<void> {
    for (let sent = first; !ending.signal.aborted; sent++) {
      const at = Date.now();
      const customer = this.#customers[sent % this.#customers.length] ?? '';
      const answer = await ask(url, customer, `path/${sent}`).catch(() => unanswered);
      this.#samples.push({ ...answer, at, envoy: id, customer });
      await pause(Math.max(0, at + 1000 / rate - Date.now()));
    }
  }
}

const unanswered: Answer = { status: 0, assignment: '(none)', config: '(none)', version: '(none)' };
