/** What is said about a revision: its subject, and its file where that was read. */
export interface Text {
  readonly subject: string;
  readonly source: Uint8Array | null;
}

/** The texts of the few revisions that words may still be about: the newest, the live one, one that was refused. */
export class Texts {
  readonly #byVersion = new Map<string, Text>();
  #judged: (Text & { readonly version: string }) | null = null;

  /** Of the one that was judged last, for what is said of it at once: one of many, it takes no other's place. */
  setJudged(version: string, text: Text): void {
    this.#judged = { version, ...text };
  }

  set(version: string, text: Text): void {
    this.#byVersion.delete(version);
    this.#byVersion.set(version, text);
    for (const oldest of this.#byVersion.keys()) {
      if (this.#byVersion.size <= kept) return;
      this.#byVersion.delete(oldest);
    }
  }

  get(version: string | null): Text {
    if (this.#judged !== null && this.#judged.version === version) return this.#judged;
    return this.#byVersion.get(version ?? '') ?? { subject: '', source: null };
  }
}

const kept = 8;
