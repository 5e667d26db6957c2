import { pino } from 'pino';
import type { Logger, LogFn } from 'pino';
import pc from 'picocolors';
import { hasColor } from '../terminal.ts';
import { printable } from '../config/words.ts';
import type { Redact } from '../secrets.ts';
import type { Settings } from '../settings/settings.ts';

export type { Logger };

/** Fields that the message contains already: a text line leaves them out, JSON has them (docs/operating.md). */
const inMessage = new Set(['event', 'version', 'node', 'outcome', 'by', 'peer', 'proven', 'acked', 'connected']);

/** The daemon's log, on stderr: one line per event, as JSON, or as text on a terminal. `redact` is applied to every string. */
export function createLog(
  settings: Settings['log'],
  terminal: { isTTY?: boolean },
  redact: Redact = (text) => text,
): Logger {
  const text = settings.format === 'text' || (settings.format === 'auto' && terminal.isTTY === true);
  const options = {
    level: settings.level,
    base: null,
    mixin: () => ({ event: 'notice' }), // for lines without an event of their own
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

/** Redacts a string, or the top-level strings of an object. */
function redactIn(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Error) return redact(value.stack ?? value.message);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, typeof each === 'string' ? redact(each) : each]),
  );
}

type Colors = ReturnType<typeof pc.createColors>;

/** `16:04:05.123Z info  message key=value`, in UTC. A drawn diagnostic follows on its own lines. */
function toText(line: string, colors: Colors): string {
  const { level, time, msg, drawn, ...rest } = JSON.parse(line) as {
    level: string;
    time: string;
    msg: string;
    drawn?: string;
  };
  const paint = { error: colors.red, warn: colors.yellow, info: colors.green }[level] ?? colors.dim;
  const shown = Object.entries(rest).filter(([key]) => !inMessage.has(key));
  const pairs = shown.map(([key, value]) =>
    colors.dim(` ${key}=${printable(typeof value === 'string' ? value : JSON.stringify(value))}`),
  );
  const head = `${colors.dim(time.slice(11))} ${paint(level.padEnd(5))} ${printable(msg)}${pairs.join('')}\n`;
  return drawn === undefined ? head : `${head}${drawn.trimEnd()}\n`;
}
