/** What is said about a revision: its subject, and its file where that was read. */
export interface Text {
  readonly subject: string;
  readonly source: Uint8Array | null;
}

const keptAtMost = 8;

/** The few revisions that a message may still be about: the newest, the live one, one that was refused. */
export class RecentSources {
  readonly #byVersion = new Map<string, Text>();
  #judged: (Text & { readonly version: string }) | null = null;

  constructor(releases: readonly { readonly version: string; readonly subject: string }[] = []) {
    for (const { version, subject } of releases) this.set(version, { subject, source: null });
  }

  /** Of the one that was judged last, for what is said of it at once: one of many, it takes no other's place. */
  setJudged(version: string, text: Text): void {
    this.#judged = { version, ...text };
  }

  set(version: string, text: Text): void {
    this.#byVersion.delete(version);
    this.#byVersion.set(version, text);
    for (const oldest of this.#byVersion.keys()) {
      if (this.#byVersion.size <= keptAtMost) return;
      this.#byVersion.delete(oldest);
    }
  }

  get(version: string | null): Text {
    if (this.#judged !== null && this.#judged.version === version) return this.#judged;
    return this.#byVersion.get(version ?? '') ?? { subject: '', source: null };
  }
}
