import { say } from './say.ts';

/** Compares what is seen with what is expected; says, and counts, what differs. */
export class Expectations {
  #faults = 0;

  /** `expected` empty: nothing at all. */
  expect(what: string, seen: string, expected: string): void {
    if (seen !== expected) this.fail(`${what}: ${seen} was seen, ${expected || 'nothing else'} was expected`);
  }

  fail(what: string): void {
    this.#faults += 1;
    say.bad(what);
  }

  /** Says how it went; returns the exit code. */
  conclude(): number {
    say.line();
    if (this.#faults === 0) say.good('All that was expected was seen.');
    else say.bad(`${this.#faults} of the expectations failed.`);
    return this.#faults === 0 ? 0 : 1;
  }
}
