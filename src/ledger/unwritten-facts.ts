import { diagnose } from '../rollout/diagnose.ts';
import type { Fact } from '../state/facts.ts';
import type { Stamped } from './store.ts';

/** Bounds on the memory used while the store can't be written. */
const maxFacts = 10_000;
const maxBytes = 64 * 1024 * 1024;

/** Facts that are not in the store yet, oldest first. */
export class UnwrittenFacts {
  #facts: Stamped[] = [];
  #bytes = 0;
  #lost = 0;

  get size(): number {
    return this.#facts.length;
  }

  /** How many were dropped. */
  get lost(): number {
    return this.#lost;
  }

  add(facts: readonly Fact[], at: number): void {
    for (const fact of facts) {
      this.#facts.push({ at, fact });
      this.#bytes += weigh(fact);
    }
  }

  list(): readonly Stamped[] {
    return [...this.#facts];
  }

  /** Removes the oldest `count`, which are written. */
  remove(count: number): void {
    for (const { fact } of this.#facts.splice(0, count)) this.#bytes -= weigh(fact);
  }

  /** Drops the oldest beyond the bounds. */
  trim(): void {
    let bytes = this.#bytes;
    let count = 0;
    for (const { fact } of this.#facts) {
      if (this.#facts.length - count <= maxFacts && bytes <= maxBytes) break;
      bytes -= weigh(fact);
      count += 1;
    }
    this.#facts.splice(0, count);
    this.#bytes = bytes;
    this.#lost += count;
  }

  forgetLost(): void {
    this.#lost = 0;
  }
}

/** Bytes, roughly: only messages from outside can be long. */
function weigh(fact: Fact): number {
  return messagesOf(fact).reduce((sum, message) => sum + 512 + 2 * message.length, 1024);
}

function messagesOf(fact: Fact): readonly string[] {
  if ('message' in fact) return [fact.message];
  if ('why' in fact) return [fact.why];
  if (fact.type === 'refused') return [fact.refusal.message];
  if (fact.type === 'rolled_back' || fact.type === 'still_pinned') return [diagnose(fact.cause).message];
  return 'diagnostics' in fact ? fact.diagnostics.map(({ message }) => message) : [];
}
