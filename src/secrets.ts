/** Removes secrets from what is shown or kept. */
export type Redact = (text: string) => string;

/** A shorter secret would blank parts of ordinary words, and could be guessed anyway. */
const shortest = 4;
/** Bound on remembered forms of secrets; the oldest are dropped first. */
const mostForms = 20_000;

/**
 * The secrets that this process was given, so that none of them is in its output, even if a peer sends it back to
 * us: a git server and a git host know what we have shown them.
 */
export class Secrets {
  readonly #forms = new Set<string>();
  #longestFirst: readonly string[] | null = null;

  /** Redacts this from now on. A secret that was rotated is still one. */
  learn(secret: string, username = ''): void {
    if (secret.length < shortest) return;
    for (const form of formsOf(username, secret)) {
      if (this.#forms.has(form)) continue;
      this.#forms.add(form);
      this.#longestFirst = null;
    }
    for (const form of this.#forms) {
      if (this.#forms.size <= mostForms) return;
      this.#forms.delete(form);
    }
  }

  /** The password in a URL; a user without one is often a token. */
  learnUrl(url: string): void {
    const [, user = '', password] = /^[^:]*:\/\/([^:@/]*)(?::([^@]*))?@/.exec(url) ?? [];
    if (password !== undefined) {
      this.learn(decode(password), decode(user));
      this.learn(password, user);
    } else if (user.length >= 20) this.learn(decode(user));
  }

  /** Blanks each secret, as it is, percent-encoded, and in base64 (HTTP's basic authentication). */
  readonly redact: Redact = (text) => this.#sorted().reduce((words, form) => words.replaceAll(form, '***'), text);

  /** The same for a text that was cut at a limit: it may end with the beginning of a secret. */
  readonly redactCut: Redact = (text) => {
    const words = this.redact(text);
    for (const form of this.#sorted()) {
      for (let length = Math.min(form.length - 1, words.length); length >= shortest; length -= 1)
        if (words.endsWith(form.slice(0, length))) return `${words.slice(0, -length)}***`;
    }
    return words;
  };

  #sorted(): readonly string[] {
    return (this.#longestFirst ??= [...this.#forms].sort((a, b) => b.length - a.length));
  }
}

/** Blanks the user part of every URL. */
export function blankUsers(text: string): string {
  return text.replace(/:\/\/[^/\s'"]*@/g, '://***@');
}

function formsOf(username: string, secret: string): string[] {
  const encoded = encodeURIComponent(secret.toWellFormed());
  const strict = encoded.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const lower = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  const plain = [secret, encoded, strict, lower(encoded), lower(strict), encoded.replaceAll('%20', '+')];
  const base64 = [secret, `${username}:${secret}`].map((text) => Buffer.from(text).toString('base64'));
  return [...plain, ...base64.flatMap((text) => [text, text.replace(/=+$/, '')])];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
