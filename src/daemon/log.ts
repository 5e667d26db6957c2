import { pino } from 'pino';
import type { Logger } from 'pino';
import pc from 'picocolors';
import { hasColor } from '../cli/color.ts';
import { printable } from '../config/words.ts';
import type { Settings } from '../settings/settings.ts';

export type { Logger };

/** The daemon's log, on stderr: one line an event, as JSON, or as text on a terminal. */
export function createLog(settings: Settings['log'], terminal: { isTTY?: boolean }): Logger {
  const text = settings.format === 'text' || (settings.format === 'auto' && terminal.isTTY === true);
  const options = {
    level: settings.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (!text) return pino(options, pino.destination({ dest: 2, sync: true }));
  const colors = pc.createColors(hasColor(terminal));
  return pino(options, { write: (line: string) => void process.stderr.write(toText(line, colors)) });
}

type Colors = ReturnType<typeof pc.createColors>;

/** `16:04:05.123 info  message key=value`: what is long (a drawn diagnostic) follows on lines of its own. */
function toText(line: string, colors: Colors): string {
  const { level, time, msg, drawn, ...rest } = JSON.parse(line) as {
    level: string;
    time: string;
    msg: string;
    drawn?: string;
  };
  const paint = { error: colors.red, warn: colors.yellow, info: colors.green }[level] ?? colors.dim;
  const pairs = Object.entries(rest).map(([key, value]) =>
    colors.dim(` ${key}=${printable(typeof value === 'string' ? value : JSON.stringify(value))}`),
  );
  const head = `${colors.dim(time.slice(11, 23))} ${paint(level.padEnd(5))} ${printable(msg)}${pairs.join('')}\n`;
  return drawn === undefined ? head : `${head}${drawn.trimEnd()}\n`;
}
