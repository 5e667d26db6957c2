import type { Logger } from 'pino';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Revision } from '../git/revision.ts';
import type { Summary } from '../git/source.ts';
import type { LedgerEntry } from '../ledger/entry.ts';
import type { Outcome, RolloutAction } from '../rollout/types.ts';
import type { Counts } from './fleet.ts';
import type { Head } from './head.ts';
import { diagnoseHold, diagnoseRefusal, placeOfRefusal } from './head.ts';
import type { Verdict } from './intake.ts';
import type { Metrics } from './metrics.ts';
import type { Repeats } from './repeats.ts';
import { drawAll, sayAction, short } from './say.ts';
import type { Texts } from './texts.ts';

/** What became of a revision, for whoever reports it elsewhere (git notes, commit statuses). */
export interface Report {
  readonly version: string;
  readonly outcome: Outcome | null;
  readonly diagnostics: readonly Diagnostic[];
  /** How its push stands. */
  readonly counts: Counts;
}

export interface RecordOptions {
  readonly file: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly write: (entry: LedgerEntry) => void;
  readonly now: () => number;
  readonly counts: () => Counts;
  readonly report: (report: Report) => void;
  readonly texts: Texts;
  /** Keeps the log short, however many Envoys refuse. */
  readonly repeats: Repeats;
  /** What the ledger remembers: the number of the last push, and the newest revision. */
  readonly memory: { readonly seq: number; readonly head: Head | null };
}

/** Turns what was decided into log lines, metrics, ledger entries and the head's state: nothing else writes those. */
export class Record {
  readonly #options: RecordOptions;
  #head: Head | null;
  /** The push that is awaited: its number, and when it began. */
  #push: { readonly seq: number; readonly version: string; readonly startedAt: number } | null = null;
  #seq: number;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.#seq = options.memory.seq;
    this.#head = toHead(options.memory.head);
  }

  get head(): Head | null {
    return this.#head;
  }

  /** Revisions in the order of their history; `newest`, the last, is the head. */
  revisions(revisions: readonly Summary[], newest: Revision): void {
    for (const { version, subject, author, committedAt } of revisions)
      this.#options.write({ type: 'revision', version, subject, author, committedAt });
    const { version, subject, content } = newest;
    this.#options.texts.set(version, { subject, source: 'bytes' in content ? content.bytes : null });
    this.#head = { version, subject, outcome: null, diagnostics: [] };
  }

  /** The head is what the fleet runs already. */
  isLive(version: string): void {
    if (this.#head?.version === version) this.#head = { ...this.#head, outcome: 'live', diagnostics: [] };
  }

  /** The ref has no such file, or is gone. */
  noHead(): void {
    this.#head = null;
  }

  /** A revision that can no longer be accepted or rolled out. `before`: what had become of it before it was held. */
  close(version: string, before: Outcome | null): void {
    const { metrics } = this.#options;
    this.#settle({ version, outcome: before ?? 'superseded', diagnostics: [] });
    if (before === null) metrics.onOutcome('superseded');
  }

  verdict(verdict: Verdict): void {
    const { log } = this.#options;
    const { version, subject } = verdict.revision;
    switch (verdict.outcome) {
      case 'candidate':
        return;
      case 'superseded':
        return this.#outcome(version, 'superseded', []);
      case 'held':
        return this.#held({ version, ...verdict });
      case 'invalid': {
        const drawn = drawAll(verdict.diagnostics, verdict.source);
        log.error(
          { event: 'invalid', version, outcome: 'invalid', drawn },
          `invalid ${short(version)} ${subject}: not pushed`,
        );
        return this.#outcome(version, 'invalid', verdict.diagnostics);
      }
    }
  }

  #held(held: { version: string; revision: Revision; reason: string; hint?: string }): void {
    const { log, file, write } = this.#options;
    const { version, reason, revision } = held;
    const diagnostic = diagnoseHold(held, file);
    log.warn(
      { event: 'held', version, outcome: 'held', hint: diagnostic.hint },
      `held ${short(version)} ${revision.subject}: ${reason}`,
    );
    write({ type: 'held', version, reason });
    this.#outcome(version, 'held', [diagnostic], reason);
  }

  /** An operator takes a pin back. */
  retried(version: string, by: string): void {
    this.#options.log.info({ event: 'retried', version, by }, `${by} retries ${short(version)}`);
    this.#options.write({ type: 'unpinned', version, by });
  }

  /** An operator takes a node's vote away, or gives it back. */
  muted(type: 'muted' | 'unmuted', node: string, by: string): void {
    const { log } = this.#options;
    if (type === 'muted') log.info({ event: 'muted', node, by }, `${by} takes the vote of Envoy ${node}`);
    else log.info({ event: 'unmuted', node, by }, `${by} gives its vote back to Envoy ${node}`);
    this.#options.write({ type, node, by });
  }

  action(action: RolloutAction): void {
    const { log, metrics, write } = this.#options;
    metrics.onRollout(action);
    const version = action.type === 'live' ? (action.live?.version ?? '') : (action.version ?? '');
    const { subject, source } = this.#options.texts.get(version);
    const refused = action.type === 'pinned' || action.type === 'still_pinned' ? this.#diagnose(action) : null;
    const say = (): void => sayAction(log, action, { subject, drawn: refused && drawAll([refused], source) });
    // what a client can cause as often as it likes: the status has them all
    const isOfOneNode = action.type === 'refused' || action.type === 'unanswered';
    if (isOfOneNode) this.#options.repeats.say(action.type, short(version), say);
    else say();
    switch (action.type) {
      case 'offer':
        return this.#offered(action.version);
      case 'outcome':
        return this.#decided(action.version, action.outcome);
      case 'live':
        write({ type: 'live', live: action.live });
        return action.live?.proven ? this.#proven(version) : undefined;
      case 'pinned':
      case 'still_pinned':
        if (action.type === 'pinned') write({ type: 'pinned', version, refusal: action.refusal });
        return this.#outcome(version, 'rolled_back', refused ? [refused] : []);
      case 'unpinned':
        return write({ type: 'unpinned', version });
      case 'refused':
        return write({ type: 'refused', version, refusal: action.refusal, place: this.#place(action) });
      case 'unanswered':
        return;
    }
  }

  /** Nobody is waited for any more. */
  settled(version: string, counts: Counts): void {
    const push = this.#push;
    if (push?.version !== version) return;
    this.#push = null;
    const { metrics, now, log } = this.#options;
    const ms = now() - push.startedAt;
    metrics.onSettled(ms);
    const { connected, acked, refusing: refused, unanswered } = counts;
    this.#writeSettled(version, push.seq, counts);
    if (connected === 0) return this.#report(version);
    log.info(
      { event: 'settled', version, ms, acked, connected },
      `${short(version)} acknowledged by ${acked} of ${connected}${refused > 0 ? `, ${refused} refusing` : ''}${unanswered > 0 ? `, ${unanswered} unanswered` : ''}`,
    );
    this.#report(version);
  }

  /** Proven only now, perhaps: whoever was told that no Envoy had tried it, the history too, hears that one has. */
  #proven(version: string): void {
    if (this.#push?.version !== version) this.#writeSettled(version, this.#seq, this.#options.counts());
    this.#report(version);
  }

  #writeSettled(version: string, seq: number, counts: Counts): void {
    const { connected, acked, refusing: refused, unanswered } = counts;
    this.#options.write({ type: 'push_settled', version, seq, connected, acked, refused, unanswered });
  }

  #offered(version: string | null): void {
    this.#push = null;
    if (version === null) return;
    const connected = this.#options.counts().connected;
    this.#push = { seq: (this.#seq += 1), version, startedAt: this.#options.now() };
    this.#options.write({ type: 'push_started', version, seq: this.#seq, connected });
    if (this.#head?.version === version && this.#head.outcome !== 'live')
      this.#head = { ...this.#head, outcome: null, diagnostics: [] };
    this.#report(version);
  }

  #decided(version: string, outcome: Outcome): void {
    // A refusal brings its words: see `pinned`.
    if (outcome !== 'rolled_back') this.#outcome(version, outcome, []);
  }

  #outcome(version: string, outcome: Outcome, diagnostics: readonly Diagnostic[], reason?: string): void {
    if (this.#head?.version === version) this.#head = { ...this.#head, outcome, diagnostics };
    this.#options.metrics.onOutcome(outcome);
    this.#settle({ version, outcome, diagnostics, ...(reason !== undefined && { reason }) });
  }

  #settle(told: { version: string; outcome: Outcome; diagnostics: readonly Diagnostic[]; reason?: string }): void {
    const { version, outcome, diagnostics } = told;
    this.#options.write({ type: 'outcome', ...told });
    this.#options.report({ version, outcome, diagnostics, counts: this.#options.counts() });
  }

  #report(version: string): void {
    const isHead = this.#head?.version === version;
    if (isHead && this.#head) this.#options.report({ ...this.#head, counts: this.#options.counts() });
  }

  #place({ version, refusal }: Extract<RolloutAction, { type: 'refused' | 'pinned' | 'still_pinned' }>) {
    return placeOfRefusal(refusal, this.#options.file, this.#options.texts.get(version).source);
  }

  #diagnose(action: Extract<RolloutAction, { type: 'pinned' | 'still_pinned' }>): Diagnostic {
    return diagnoseRefusal(action.refusal, this.#place(action));
  }
}

/** Of what the ledger remembers, no more than a head has. */
function toHead(memory: Head | null): Head | null {
  if (memory === null) return null;
  const { version, subject, outcome, diagnostics } = memory;
  return { version, subject, outcome, diagnostics };
}
