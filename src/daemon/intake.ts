import type { Diagnostic } from '../config/diagnostic.ts';
import type { Revision } from '../git/revision.ts';
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
  /** This content was live before, in whatever commit. */
  readonly wasLive: (release: Release) => boolean;
}

/** Judges revisions, one at a time: its signature, its content, and what it takes away. */
export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** What is to become of a revision that may be rolled out. */
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
    if (shrink !== null && !this.#options.wasLive(release)) return { outcome: 'held', revision, reason: shrink };
    return { outcome: 'candidate', revision, release, resource, source };
  }

  /** What became of a revision that a newer one has overtaken. */
  async judgeOvertaken(revision: Revision): Promise<Verdict> {
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
