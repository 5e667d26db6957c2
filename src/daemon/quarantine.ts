import type { ShardConfig } from '../config/config.ts';
import { listSome, printable } from '../config/words.ts';
import type { Problems } from './problems.ts';

const CHECK_MS = 2_000;

/** Whose quarantine should be over by now, the longest overdue first. */
export function findOverdue({ quarantineUntil }: ShardConfig, now: number): string[] {
  const overdue = [...(quarantineUntil ?? [])].filter(([, until]) => until <= now);
  return overdue.toSorted(([, a], [, b]) => a - b).map(([id]) => id);
}

/** Keeps the problem `quarantine` open while a quarantine of the live release should be over. Only a commit ends it. */
export class QuarantineWatch {
  readonly #timer: NodeJS.Timeout;

  constructor(options: { config: () => ShardConfig | null; problems: Problems; now: () => number }) {
    const { config, problems, now } = options;
    this.#timer = setInterval(() => {
      const live = config();
      problems.set('quarantine', live && toProblem(findOverdue(live, now())), HINT);
    }, CHECK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

const HINT = 'shardplane unquarantine ID -m WHY, or a later quarantine_until';

function toProblem(overdue: readonly string[]): string | null {
  if (overdue.length === 0) return null;
  return `the quarantine of ${listSome(overdue.map(printable))} should be over by now`;
}
