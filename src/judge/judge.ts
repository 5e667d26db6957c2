import { createHash } from 'node:crypto';
import type { Diagnostic } from '../config/diagnostic.ts';
import { parseConfig } from '../config/parse.ts';
import type { SchemaValidator } from '../config/schema.ts';
import { maxFileBytes } from '../config/text.ts';
import { setNewest } from '../newest.ts';
import { compileRelease } from '../release/compile.ts';
import type { Layer } from '../release/layer.ts';
import type { Release } from '../release/release.ts';
import { writeContent, type WrittenContent } from './write-content.ts';
import type { ReadResult } from './message.ts';
import { fromParts } from './config-parts.ts';
import { Reader } from './reader.ts';
import type { Cost, ReaderLimits } from './reader.ts';

export interface JudgeOptions {
  /** What the config is called in diagnostics. */
  readonly file: string;
  readonly validate: SchemaValidator;
  /** How releases are pushed; left out where only `check` is called. */
  readonly layer?: Layer;
  readonly limits?: ReaderLimits;
}

/** A commit's release, or why it has none. */
export type Judgement =
  | (WrittenContent & {
      readonly release: Release;
      /** Its encoded bytes, if the thread has made them. */
      readonly resource: Uint8Array | null;
      readonly diagnostics: readonly [];
    })
  | { readonly release: null; readonly diagnostics: readonly Diagnostic[] };

/**
 * Far above what a real file needs: 100,000 customers, one a line, take 0.3 s and 100 MB; written in a way that the fast parser
 * (config/common.ts) does not read, 2 s and 400 MB.
 */
const limits: ReaderLimits = { timeMs: 5_000, heapMb: 768 };
/** Files up to this size are read on the event loop: in the worst case that takes some 30 ms. */
const smallBytes = 16 * 1024;
const checked: Layer = { resource: '', encoding: 'auto' };
/** Files that were too costly, by hash. */
const maxRemembered = 100;

/** Reads configs without blocking the event loop, whatever they hold: big ones in a thread, within limits. */
export class Judge {
  readonly #options: JudgeOptions;
  readonly #reader: Reader;
  readonly #costly = new Map<string, Cost>();

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#reader = new Reader({ schema: options.validate.schema }, options.limits ?? limits);
  }

  /** Whether the file is read on the event loop. A user's own schema may be slow even for a small file. */
  isSmall(bytes: Uint8Array): boolean {
    return (bytes.length <= smallBytes && this.#options.validate.builtin) || bytes.length > maxFileBytes;
  }

  /** The diagnostics of a file. Rejects with ReaderError when the judge is closed meanwhile. */
  async check(bytes: Uint8Array): Promise<readonly Diagnostic[]> {
    if (this.isSmall(bytes)) return parseConfig(bytes, this.#options).diagnostics;
    return (await this.#read(bytes, null)).diagnostics;
  }

  /** The release of a commit with these bytes. Rejects with ReaderError when the judge is closed meanwhile. */
  async release(bytes: Uint8Array, commit: { version: string; subject: string }): Promise<Judgement> {
    if (this.isSmall(bytes)) {
      const { config, diagnostics } = parseConfig(bytes, this.#options);
      if (config === null) return { release: null, diagnostics };
      const release = compileRelease(config, commit);
      return { release, resource: null, ...writeContent(release), diagnostics: [] };
    }
    const { compiled, diagnostics } = await this.#read(bytes, commit);
    if (compiled === null) return { release: null, diagnostics };
    const { config, ...rest } = compiled;
    return { release: compileRelease(await fromParts(config), commit), ...rest, diagnostics: [] };
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #read(bytes: Uint8Array, commit: { version: string } | null): Promise<ReadResult> {
    const { file, layer = checked } = this.#options;
    const known = this.#costly.size === 0 ? undefined : this.#costly.get(hashOf(bytes));
    const question = { bytes: new Uint8Array(bytes), file, commit: commit && { version: commit.version, layer } };
    const answer = known ?? (await this.#reader.read(question));
    if (typeof answer !== 'string') return answer;
    setNewest(this.#costly, hashOf(bytes), answer, maxRemembered);
    return { diagnostics: [tooCostly(answer, file, this.#options.limits ?? limits)], compiled: null };
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function tooCostly(cost: Cost, file: string, { timeMs, heapMb }: ReaderLimits): Diagnostic {
  const words: Readonly<Record<Cost, string>> = {
    time: `reading the file takes more than ${timeMs / 1000} s`,
    memory: `reading the file takes more than ${heapMb} MB`,
    failure: 'reading the file ended the thread that read it',
  };
  return {
    code: 'too-costly',
    message: words[cost],
    file,
    line: 1,
    column: 1,
    hint: 'git revert the commit; a config that is needed is read quickly with one customer a line: customer-A: {shard_size: 3}',
  };
}
