import { setImmediate as turn } from 'node:timers/promises';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Revision } from '../git/revision.ts';
import type { Moved } from '../git/source.ts';
import { findShrink } from '../release/guard.ts';
import type { Release } from '../release/release.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import type { Evaluated } from './evaluate.ts';
import type { Role } from './signatures.ts';

/** What is to become of a revision, before the fleet is asked. */
export type Verdict =
  | {
      readonly outcome: 'candidate';
      readonly revision: Revision;
      readonly release: Release;
      /** Its bytes, where they were made already. */
      readonly resource: Uint8Array | null;
      readonly source: Uint8Array;
    }
  | { readonly outcome: 'superseded'; readonly revision: Revision }
  | {
      readonly outcome: 'held';
      readonly revision: Revision;
      readonly reason: string;
      /** What there is to do, where an operator can't just accept it. */
      readonly hint?: string;
    }
  | {
      readonly outcome: 'invalid';
      readonly revision: Revision;
      readonly diagnostics: readonly Diagnostic[];
      readonly source: Uint8Array | null;
    };

export interface IntakeOptions {
  readonly settings: Pick<RepositorySettings, 'file' | 'guard' | 'verify'>;
  /** From its content to a release. Rejects with GitError. */
  readonly evaluate: (revision: Revision) => Promise<Evaluated>;
  /** Null: it is signed as `repository.verify` asks of what may go live, or of what was overtaken. */
  readonly verify: (revision: Revision, role: Role) => Promise<Diagnostic | null>;
  /** What the guard compares with, or null before there is a release. */
  readonly live: () => Release | null;
  /** An operator, or an earlier run, has accepted this version. */
  readonly isAccepted: (version: string) => boolean;
  /** An Envoy has refused this version. */
  readonly isPinned: (version: string) => boolean;
  readonly older: (tip: string, page: { skip: number; limit: number }) => Promise<Revision[]>;
  /** Told of each verdict: the newest revision's first, so that nothing stands in its way. */
  readonly report: (verdict: Verdict) => void;
}

/** How far back a first start looks for a valid revision. */
const maxLookBack = 1_000;
const pageSize = 20;

/** Judges the revisions of a moved ref: which one is to be rolled out, and what the others are. */
export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** The ref moved, and the move may be taken. False: there is none to roll out in it, unless `takeOlder` finds one. */
  async take(moved: Moved): Promise<boolean> {
    const revisions = listNewestFirst(moved);
    if (await this.#offerFirst(revisions, true)) return true;
    if (this.#options.live() !== null || moved.tip === null || moved.older.length > 0) return false;
    return await this.lookBack(moved.tip, revisions.length);
  }

  /** The older part of a move in which there was none to roll out yet, oldest first. False: nor is there in this. */
  async takeOlder(revisions: readonly Revision[]): Promise<boolean> {
    return await this.#offerFirst(revisions.toReversed(), false);
  }

  /** Revisions that others have overtaken already: each still gets its outcome. */
  async overtaken(revisions: readonly Revision[]): Promise<void> {
    for (const revision of revisions) {
      // what was decided is written by then
      await turn();
      this.#options.report(await this.#judgeOvertaken(revision));
    }
  }

  /** One revision by itself. */
  async judge(revision: Revision): Promise<Verdict> {
    const { settings, evaluate, live } = this.#options;
    const fault = settings.verify.mode === 'none' ? null : await this.#options.verify(revision, 'candidate');
    if (fault) return { outcome: 'invalid', revision, diagnostics: [fault], source: null };
    const evaluated = await evaluate(revision);
    if (evaluated.release === null)
      return { outcome: 'invalid', revision, diagnostics: evaluated.diagnostics, source: evaluated.source };
    const { release, resource, source } = evaluated;
    const before = live();
    const shrink = before && !this.#isAccepted(revision) ? findShrink(before, release, settings.guard) : null;
    if (shrink !== null) return { outcome: 'held', revision, reason: shrink };
    return { outcome: 'candidate', revision, release, resource, source };
  }

  /** Reports the newest that can be rolled out, then the outcome of those before it. False: there is none. */
  async #offerFirst(revisions: readonly Revision[], hasHead: boolean): Promise<boolean> {
    for (const [index, revision] of revisions.entries()) {
      const verdict = await this.judge(revision);
      // Only the newest can be accepted.
      const isOvertaken = verdict.outcome === 'held' && (index > 0 || !hasHead);
      this.#options.report(isOvertaken ? { outcome: 'superseded', revision } : verdict);
      if (verdict.outcome !== 'candidate' || this.#options.isPinned(revision.version)) continue;
      await this.overtaken(revisions.slice(index + 1));
      return true;
    }
    return false;
  }

  /**
   * There is nothing to serve, and the newest revision is no good: offers the newest in the history that is valid and was not
   * refused, without its `known` newest. False: there is none. Throws GitError.
   */
  async lookBack(tip: string, known = 0): Promise<boolean> {
    for (let skip = known; skip < maxLookBack; skip += pageSize) {
      const page = await this.#options.older(tip, { skip, limit: pageSize });
      for (const revision of page) {
        const verdict = await this.judge(revision);
        if (verdict.outcome !== 'candidate' || this.#options.isPinned(revision.version)) continue;
        this.#options.report(verdict);
        return true;
      }
      if (page.length < pageSize) return false;
    }
    return false;
  }

  async #judgeOvertaken(revision: Revision): Promise<Verdict> {
    const { settings, evaluate, verify } = this.#options;
    const fault = settings.verify.mode === 'all' ? await verify(revision, 'overtaken') : null;
    const { release, source, diagnostics } = await evaluate(revision);
    if (fault || release === null)
      return { outcome: 'invalid', revision, diagnostics: fault ? [fault] : diagnostics, source };
    return { outcome: 'superseded', revision };
  }

  #isAccepted({ version, trailers }: Revision): boolean {
    return trailers.get('shardplane-accept')?.toLowerCase() === 'yes' || this.#options.isAccepted(version);
  }
}

function listNewestFirst({ revisions, newest }: Moved): Revision[] {
  if (newest === null) return [];
  return revisions.length > 0 ? revisions.toReversed() : [newest];
}
