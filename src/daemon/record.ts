import type { Logger } from 'pino';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { LedgerEntry } from '../ledger/entry.ts';
import type { Head } from '../revisions/state.ts';
import type { RevisionFact } from '../revisions/types.ts';
import type { Outcome, RolloutAction } from '../rollout/types.ts';
import type { Counts } from './fleet.ts';
import { diagnoseRefusal, placeOfRefusal } from './refusal.ts';
import type { Metrics } from './metrics.ts';
import type { Repeats } from './repeats.ts';
import { drawAll, sayAction } from './say.ts';
import type { Texts } from './texts.ts';
import { short } from '../release/short.ts';

/** What became of a revision, for whoever reports it elsewhere (git notes, commit statuses). */
export interface Report {
  readonly version: string;
  readonly outcome: Outcome | null;
  readonly diagnostics: readonly Diagnostic[];
  /** How its push stands. */
  readonly counts: Counts;
}

interface Concluded {
  readonly version: string;
  readonly outcome: Outcome;
  readonly diagnostics: readonly Diagnostic[];
  readonly reason?: string;
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
  /** The number of the last push before a restart. */
  readonly seq: number;
  readonly head: () => Head | null;
  /** How a release stands now; null: it is on its way. */
  readonly onStanding: (version: string, outcome: Outcome | null, diagnostics: readonly Diagnostic[]) => void;
  /** The final outcome that a revision had before it was held, or null; undefined while that can't be told. */
  readonly outcomeBeforeHold: (version: string) => Outcome | null | undefined;
  /** A revision has its final outcome already. */
  readonly isDecided: (version: string) => boolean;
}

/** Turns what was decided into log lines, metrics, ledger entries and the head's state: nothing else writes those. */
export class Record {
  readonly #options: RecordOptions;
  /** The push that is awaited: its number, and when it began. */
  #push: { readonly seq: number; readonly version: string; readonly startedAt: number } | null = null;
  #seq: number;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.#seq = options.seq;
  }

  /** What was decided about a revision. */
  revision(fact: RevisionFact): void {
    const { log, write, texts } = this.#options;
    switch (fact.type) {
      case 'seen': {
        const { version, subject, author, committedAt } = fact.revision;
        return write({ type: 'revision', version, subject, author, committedAt, isPast: fact.isPast });
      }
      case 'invalid': {
        const { version, diagnostics, isHead } = fact;
        if (!isHead && this.#options.isDecided(version)) return;
        const { subject, source } = texts.get(version);
        log.error(
          { event: 'invalid', version, outcome: 'invalid', drawn: drawAll(diagnostics, source) },
          `invalid ${short(version)} ${subject}: not pushed`,
        );
        return this.#conclude({ version, outcome: 'invalid', diagnostics });
      }
      case 'held':
        return this.#held(fact);
      case 'accepted':
        log.info(
          { event: 'accepted', version: fact.version, by: fact.by },
          `${fact.by} accepts ${short(fact.version)}`,
        );
        return write(fact);
      case 'retried':
        log.info({ event: 'retried', version: fact.version, by: fact.by }, `${fact.by} retries ${short(fact.version)}`);
        return write({ type: 'unpinned', version: fact.version, by: fact.by });
      case 'overtaken':
        // What the fleet has said of it stands.
        if (!this.#options.isDecided(fact.version))
          this.#conclude({ version: fact.version, outcome: 'superseded', diagnostics: [] });
        return;
      case 'let_go':
        return this.#letGo(fact.version);
      case 'nothing_found':
        return;
    }
  }

  #held({ version, reason, diagnostics }: Extract<RevisionFact, { type: 'held' }>): void {
    const { log, write, texts } = this.#options;
    log.warn(
      { event: 'held', version, outcome: 'held', hint: diagnostics[0]?.hint },
      `held ${short(version)} ${texts.get(version).subject}: ${reason}`,
    );
    write({ type: 'held', version, reason });
    this.#conclude({ version, outcome: 'held', diagnostics, reason });
  }

  /** While the ledger can't tell what it was before, it is left to the sweep that comes once it can. */
  #letGo(version: string): void {
    const before = this.#options.outcomeBeforeHold(version);
    if (before !== undefined) this.close(version, before);
  }

  /** A revision that can no longer be accepted or rolled out. `before`: what had become of it before it was held. */
  close(version: string, before: Outcome | null): void {
    this.#settle({ version, outcome: before ?? 'superseded', diagnostics: [] });
    if (before === null) this.#options.metrics.onOutcome('superseded');
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
        // Fallen back on, it was decided before: the head may be held, all the same.
        if (action.live) this.#options.onStanding(version, 'live', []);
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
    this.#options.onStanding(version, null, []);
    this.#report(version);
  }

  #decided(version: string, outcome: Outcome): void {
    // A refusal brings its words: see `pinned`.
    if (outcome !== 'rolled_back') this.#outcome(version, outcome, []);
  }

  /** What the rollout has come to with a release. */
  #outcome(version: string, outcome: Outcome, diagnostics: readonly Diagnostic[]): void {
    this.#options.onStanding(version, outcome, diagnostics);
    this.#conclude({ version, outcome, diagnostics });
  }

  #conclude(told: Concluded): void {
    this.#options.metrics.onOutcome(told.outcome);
    this.#settle(told);
  }

  #settle(told: Concluded): void {
    const { version, outcome, diagnostics } = told;
    this.#options.write({ type: 'outcome', ...told });
    this.#options.report({ version, outcome, diagnostics, counts: this.#options.counts() });
  }

  #report(version: string): void {
    const head = this.#options.head();
    if (head?.version === version) this.#options.report({ ...head, counts: this.#options.counts() });
  }

  #place({ version, refusal }: Extract<RolloutAction, { type: 'refused' | 'pinned' | 'still_pinned' }>) {
    return placeOfRefusal(refusal, this.#options.file, this.#options.texts.get(version).source);
  }

  #diagnose(action: Extract<RolloutAction, { type: 'pinned' | 'still_pinned' }>): Diagnostic {
    return diagnoseRefusal(action.refusal, this.#place(action));
  }
}
