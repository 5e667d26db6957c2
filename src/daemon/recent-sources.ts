/** What messages about a revision need: its subject, and its file if it was read. */
export interface RevisionText {
  readonly subject: string;
  readonly source: Uint8Array | null;
}

const maxKept = 8;

/** The texts of the few revisions that messages can be about: the newest, the live one, one that was refused. */
export class RecentSources {
  readonly #byVersion = new Map<string, RevisionText>();
  #judged: (RevisionText & { readonly version: string }) | null = null;

  constructor(releases: readonly { readonly version: string; readonly subject: string }[] = []) {
    for (const { version, subject } of releases) this.set(version, { subject, source: null });
  }

  /** Keeps the last one judged apart: there may be many of these, and they must not push out the others. */
  setJudged(version: string, text: RevisionText): void {
    this.#judged = { version, ...text };
  }

  set(version: string, text: RevisionText): void {
    this.#byVersion.delete(version);
    this.#byVersion.set(version, text);
    for (const oldest of this.#byVersion.keys()) {
      if (this.#byVersion.size <= maxKept) return;
      this.#byVersion.delete(oldest);
    }
  }

  get(version: string | null): RevisionText {
    if (this.#judged !== null && this.#judged.version === version) return this.#judged;
    return this.#byVersion.get(version ?? '') ?? { subject: '', source: null };
  }
}
