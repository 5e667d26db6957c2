import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, type Backoff } from '../failures.ts';
import { whyFailed } from '../response.ts';
import { Secrets } from '../secrets.ts';
import { call, readToken } from './call.ts';
import type { QueuedStatus } from './outbox.ts';
import { Outbox } from './outbox.ts';
import type { StatusTarget } from './providers.ts';
import { addressOf, toRequest } from './providers.ts';
import type { RevisionReport } from './commit-status.ts';
import { toCommitStatus } from './commit-status.ts';
import type { Delivery } from './delivery.ts';
import { toDelivery } from './delivery.ts';

/** Reports revisions to a git host. No method throws or blocks: a push never waits for it. */
export interface Feedback {
  report(report: RevisionReport): void;
  /** Aborts a running call; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

export interface FeedbackOptions extends StatusTarget {
  readonly tokenFile: string;
  /** Called when statuses can't be sent, with a message without secrets; with null when they can again. */
  readonly onProblem: (words: string | null) => void;
  /** Is taught the token, so that messages never show it. */
  readonly secrets?: Secrets;
  /** Time limit of a call, and the pause between two. */
  readonly timeoutMs?: number;
  readonly paceMs?: number;
}

/** GitHub asks for a second between two writes. */
const defaults = { timeoutMs: 10_000, paceMs: 1000 };
const retry: Backoff = { firstMs: 2000, longestMs: 5 * 60_000 };
/** A status that could not be sent for this long is dropped. */
const keptMs = 6 * 60 * 60_000;

/** Reports commit statuses to the API of a git host, one call at a time. Throws TypeError when the url is none. */
export function createFeedback(options: FeedbackOptions): Feedback {
  return new StatusSender(options);
}

class StatusSender implements Feedback {
  readonly #options: Required<FeedbackOptions>;
  readonly #outbox: Outbox;
  /** For messages. */
  readonly #place: string;
  readonly #end = new AbortController();
  #running: Promise<void> | null = null;
  #failures = 0;

  constructor(options: FeedbackOptions) {
    this.#options = { ...defaults, secrets: new Secrets(), ...options };
    this.#outbox = new Outbox(options.provider);
    this.#place = `${options.provider} (${addressOf(options.url)})`;
  }

  report(report: RevisionReport): void {
    const status = toCommitStatus(report);
    const description = this.#options.secrets.redact(status.description);
    this.#outbox.put({ ...status, description }, Date.now());
    if (this.#outbox.size > 0) this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** Sends until the outbox is empty. Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const next = this.#outbox.next(Date.now());
      if (next === null) break;
      const waitMs = 'waitMs' in next ? next.waitMs : await this.#deliver(next);
      // rejects when `stop` cuts it short
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    this.#running = null;
  }

  /** Sends one; returns how long to wait before the next. */
  async #deliver(queued: QueuedStatus): Promise<number> {
    const delivery = await this.#send(queued);
    if (this.#end.signal.aborted) return 0;
    if (delivery.kind === 'accepted') this.#outbox.accepted(queued);
    if (delivery.kind === 'refused' || Date.now() - queued.since > keptMs) this.#outbox.drop(queued.status);
    this.#tellProblem(delivery);
    if (delivery.kind === 'accepted' || delivery.kind === 'refused') {
      this.#failures = 0;
      return this.#options.paceMs;
    }
    this.#failures += 1;
    const backoff = backoffMs(this.#failures, retry);
    return delivery.kind === 'limited' ? (delivery.waitMs ?? backoff) : backoff;
  }

  async #send({ status }: QueuedStatus): Promise<Delivery> {
    const { tokenFile, timeoutMs, secrets } = this.#options;
    try {
      const token = await readToken(tokenFile);
      secrets.learn(token);
      const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(timeoutMs)]);
      const request = toRequest(this.#options, status, token);
      return toDelivery(await call(request, { signal, redact: secrets.redactCut }), Date.now());
    } catch (error) {
      return { kind: 'failed', words: secrets.redact(whyFailed(error)) };
    }
  }

  #tellProblem(delivery: Delivery): void {
    if (delivery.kind === 'accepted') return this.#options.onProblem(null);
    this.#options.onProblem(`the commit status could not be set at ${this.#place}: ${delivery.words}`);
  }
}
