/** What is said about a revision: its subject, and its file where that was read. */
export interface Text {
  readonly subject: string;
  readonly source: Uint8Array | null;
}

/** The texts of the few revisions that words may still be about: the newest, the live one, one that was refused. */
export class Texts {
  readonly #byVersion = new Map<string, Text>();

  set(version: string, text: Text): void {
    this.#byVersion.delete(version);
    this.#byVersion.set(version, text);
    for (const oldest of this.#byVersion.keys()) {
      if (this.#byVersion.size <= kept) return;
      this.#byVersion.delete(oldest);
    }
  }

  get(version: string | null): Text {
    return this.#byVersion.get(version ?? '') ?? { subject: '', source: null };
  }
}

const kept = 8;
