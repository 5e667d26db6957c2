import type { Diagnostic } from '../config/diagnostic.ts';
import type { Revision } from '../git/read/revision.ts';
import { findShrink } from '../release/guard.ts';
import type { Release } from '../release/release.ts';
import type { Standing, Verdict } from '../revisions/types.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import type { Evaluated } from './evaluate.ts';
import type { Compiled } from './releases.ts';

/** What judging a revision found, with what was read on the way. */
export interface Judged {
  readonly verdict: Verdict;
  readonly source: Uint8Array | null;
  /** Of a valid one: its release, and its bytes where they were made already. */
  readonly compiled: Compiled | null;
}

export interface IntakeOptions {
  readonly guard: RepositorySettings['guard'];
  /** From its content to a release. Rejects with GitError. */
  readonly evaluate: (revision: Revision) => Promise<Evaluated>;
  /** Null: it is signed as `repository.verify` asks of a revision that stands so. Rejects with GitError. */
  readonly verify: (version: string, standing: Standing) => Promise<Diagnostic | null>;
  /** What the guard compares with, or null before there is a release. */
  readonly live: () => Release | null;
}

/** Judges revisions, one at a time: its signature, its content, and what it takes away. */
export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Rejects with GitError when it can't be said now. */
  async judge(revision: Revision, standing: Standing): Promise<Judged> {
    const { evaluate, verify } = this.#options;
    const fault = await verify(revision.version, standing);
    if (fault) return { verdict: { valid: false, diagnostics: [fault] }, source: null, compiled: null };
    const { source, ...evaluated } = await evaluate(revision);
    if (evaluated.release === null)
      return { verdict: { valid: false, diagnostics: evaluated.diagnostics }, source, compiled: null };
    const { isOvertaken } = standing;
    const shrink = isOvertaken ? null : this.#findShrink(revision, evaluated.release);
    const digest = isOvertaken ? null : evaluated.digest;
    return { verdict: { valid: true, shrink, digest }, source, compiled: evaluated };
  }

  /** Who commits may accept. */
  #findShrink({ trailers }: Revision, release: Release): string | null {
    const { live, guard } = this.#options;
    const before = live();
    if (before === null || trailers.get('shardplane-accept')?.toLowerCase() === 'yes') return null;
    return findShrink(before.config, release.config, guard);
  }
}
