import { pino } from 'pino';
import type { Logger, LogFn } from 'pino';
import pc from 'picocolors';
import { hasColor } from '../terminal.ts';
import { printable } from '../config/words.ts';
import type { Redact } from '../secrets.ts';
import type { Settings } from '../settings/settings.ts';

export type { Logger };

/** In the words of a text line already: these are for programs, which read JSON (docs/operating.md). */
const inWords = new Set(['event', 'version', 'node', 'outcome', 'by', 'peer', 'proven', 'acked', 'connected']);

/** The daemon's log, on stderr: one line an event, as JSON, or as text on a terminal. `redact` goes over all words. */
export function createLog(
  settings: Settings['log'],
  terminal: { isTTY?: boolean },
  redact: Redact = (text) => text,
): Logger {
  const text = settings.format === 'text' || (settings.format === 'auto' && terminal.isTTY === true);
  const options = {
    level: settings.level,
    base: null,
    mixin: () => ({ event: 'notice' }), // a line that says no other
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: {
      logMethod(args: Parameters<LogFn>, log: LogFn) {
        log.apply(this, args.map((each: unknown) => redactIn(each, redact)) as Parameters<LogFn>);
      },
    },
  };
  if (!text) return pino(options, pino.destination({ dest: 2, sync: true }));
  const colors = pc.createColors(hasColor(terminal));
  return pino(options, { write: (line: string) => void process.stderr.write(toText(line, colors)) });
}

/** Of an object that is logged, its own strings. */
function redactIn(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Error) return redact(value.stack ?? value.message);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, typeof each === 'string' ? redact(each) : each]),
  );
}

type Colors = ReturnType<typeof pc.createColors>;

/** `16:04:05.123Z info  message key=value`, in UTC: what is long (a drawn diagnostic) follows on lines of its own. */
function toText(line: string, colors: Colors): string {
  const { level, time, msg, drawn, ...rest } = JSON.parse(line) as {
    level: string;
    time: string;
    msg: string;
    drawn?: string;
  };
  const paint = { error: colors.red, warn: colors.yellow, info: colors.green }[level] ?? colors.dim;
  const told = Object.entries(rest).filter(([key]) => !inWords.has(key));
  const pairs = told.map(([key, value]) =>
    colors.dim(` ${key}=${printable(typeof value === 'string' ? value : JSON.stringify(value))}`),
  );
  const head = `${colors.dim(time.slice(11))} ${paint(level.padEnd(5))} ${printable(msg)}${pairs.join('')}\n`;
  return drawn === undefined ? head : `${head}${drawn.trimEnd()}\n`;
}
