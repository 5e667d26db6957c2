import type { Logger } from 'pino';
import type { Journal } from '../ledger/journal.ts';
import { short } from '../release/short.ts';
import type { State } from '../state/state.ts';
import type { Fact } from '../state/facts.ts';
import { countNodes } from '../rollout/targets.ts';
import { logFact } from './log-facts.ts';
import type { LogThrottle } from './log-throttle.ts';
import type { Metrics } from './metrics.ts';
import { toReport } from './report.ts';
import type { Report } from './report.ts';
import type { RecentSources } from './recent-sources.ts';

export interface RecorderOptions {
  readonly log: Logger;
  /** Keeps the log short, however many Envoys refuse. */
  readonly throttle: LogThrottle;
  readonly metrics: Metrics;
  readonly journal: Pick<Journal, 'add'>;
  readonly report: (report: Report) => void;
  readonly sources: RecentSources;
  readonly state: State;
}

/** Records facts: log, metrics, ledger, notes and statuses are each one function of a fact, and nothing else writes them. */
export class Recorder {
  readonly #options: RecorderOptions;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  record(facts: readonly Fact[]): void {
    const { metrics, journal, report, state } = this.#options;
    for (const fact of facts) {
      this.#log(fact);
      metrics.count(fact);
      const made = toReport(fact, state.revisions.head, () => countNodes(state.rollout));
      if (made !== null) report(made);
    }
    journal.add(facts);
  }

  /** Throttles facts that a client can cause at will; the status shows them all. */
  #log(fact: Fact): void {
    const { log, throttle, sources } = this.#options;
    const about = sources.get('version' in fact ? fact.version : null);
    const write = (): void => logFact(log, fact, about);
    if (fact.type === 'refused' || fact.type === 'unanswered') throttle.run(fact.type, short(fact.version), write);
    else write();
  }
}
