import { relative } from 'node:path';
import type { run } from 'node:test';
import { inspect } from 'node:util';
import pc from 'picocolors';
import type { Check } from './check.ts';

const colors = pc.createColors(process.stdout.isTTY && !process.env['NO_COLOR']);
type Events = ReturnType<typeof run>;

const maxPrinted = 10_000;

/** Prints a line for each check and test file, failures in full, and totals. */
export class Progress {
  passed = 0;
  failed = 0;
  #skipped = 0;
  readonly #files: { readonly name: string; readonly seconds: number }[] = [];

  check({ name, ok, output, durationMs }: Check): void {
    if (ok) this.passed++;
    else this.failed++;
    this.#line(ok, name, durationMs / 1000, '');
    if (!ok) console.log(output);
  }

  follow(events: Events): void {
    const printed = new Map<string, string>();
    events.on('test:stderr', ({ file, message }) => {
      printed.set(file, ((printed.get(file) ?? '') + message).slice(-maxPrinted));
    });
    events.on('test:fail', ({ name, file, line, details: { error } }) => {
      const { failureType } = error as { failureType?: string };
      if (failureType === 'subtestsFailed') return; // printed already
      console.log(`${colors.red('FAILED')} ${toName(file)}:${line} ${toName(name)}`);
      if (failureType === 'cancelledByParent' || !('cause' in error)) console.log('    it was cut off: it hung');
      else console.log(indent(inspect(error.cause)));
      // A file that fails as a whole has its reason, if any, on stderr.
      if (name === file) console.log(indent(printed.get(file) ?? ''));
    });
    events.on('test:summary', ({ file, counts, duration_ms, success }) => {
      if (file === undefined) return this.#count(counts);
      const seconds = duration_ms / 1000;
      this.#files.push({ name: toName(file), seconds });
      const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
      this.#line(success, toName(file), seconds, `${counts.passed} of ${counts.tests}${skipped}`);
    });
  }

  /** Prints the slowest files, and the totals in the last line. */
  conclude(log: string): void {
    const slowest = this.#files.toSorted((a, b) => b.seconds - a.seconds).slice(0, 5);
    console.log(`slowest: ${slowest.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`).join(', ')}`);
    console.log(`each test: ${log}`);
    if (this.#skipped > 0) console.log(colors.yellow(`${this.#skipped} skipped`));
    console.log(`${this.passed} passed, ${this.failed} failed`);
  }

  #count({ tests, passed, skipped, todo }: { tests: number; passed: number; skipped: number; todo: number }): void {
    this.passed += passed;
    this.failed += tests - passed - skipped - todo; // including those cut off
    this.#skipped += skipped;
  }

  #line(ok: boolean, name: string, seconds: number, more: string): void {
    const word = ok ? colors.green('ok    ') : colors.red('FAILED');
    console.log(`${word} ${name.padEnd(40)} ${seconds.toFixed(1).padStart(6)} s  ${more}`.trimEnd());
  }
}

/** A test's name, or a file's relative path. */
function toName(name: string | undefined): string {
  return name?.startsWith('/') ? relative(process.cwd(), name) : (name ?? '');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
