import '../../../src/cli/heap.ts';
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseConfig } from '../../../src/config/parse.ts';
import { openDaemon } from '../../../src/daemon/daemon.ts';
import { createLog } from '../../../src/daemon/log.ts';
import { startHelper } from '../../../src/git/exec/helper.ts';
import { compileRelease, toFields } from '../../../src/release/compile.ts';
import { loadSettings } from '../../../src/settings/load.ts';
import { readSchema } from '../../../src/settings/load.ts';
import { now } from '../clock.ts';

/** When each part of a change began or ended, on the clock of clock.ts. */
export interface Marks {
  readonly version: string;
  /** The first git process was asked for. */
  readonly git: number;
  /** git is done: the revision is about to be judged. */
  readonly parse: number;
  /** The release is compiled. */
  readonly encode: number;
  /** It is encoded: it is about to be offered to the streams. */
  readonly push: number;
  /** How long compiling alone takes, in milliseconds, measured by doing it again. */
  readonly compileMs: number;
  /** The longest block of the event loop since the last report, over the saved file, the commit and the push. */
  readonly stillMs: number;
}

export type PathReport =
  { readonly type: 'listening'; readonly port: number } | { readonly type: 'marks'; readonly marks: Marks };

// The whole daemon, with its parts timed from outside: by wrapping methods of the parts, and of the process that starts git. Started as `path.ts SETTINGS` with an IPC channel.

let starter: ChildProcess | null = null;
subscribe('child_process', (message) => (starter ??= (message as { process: ChildProcess }).process));
startHelper();
const settings = loadSettings(process.argv[2] ?? null);
const validate = readSchema(settings.repository.schema);
const daemon = await openDaemon(settings, createLog(settings.log, process.stderr));
let marks = { version: '', git: 0, parse: 0, encode: 0, push: 0 };
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let file: Uint8Array = new Uint8Array();

timeGit(starter);
const { intake, releases, xds } = daemon.parts;
const judge = intake.judge.bind(intake);
intake.judge = (revision, standing) => {
  marks.parse = now();
  if ('bytes' in revision.content) file = revision.content.bytes;
  return judge(revision, standing);
};
const put = releases.put.bind(releases);
releases.put = (compiled) => {
  marks.encode = now();
  put(compiled);
};
const offer = xds.offer.bind(xds);
xds.offer = (encoded, wave) => {
  marks.push = now();
  marks.version = encoded?.version ?? '';
  offer(encoded, wave);
};

process.on('message', (message: 'reset' | 'report') => {
  if (message === 'reset') marks = { version: '', git: 0, parse: 0, encode: 0, push: 0 };
  else {
    const stillMs = delay.max / 1e6;
    report({ type: 'marks', marks: { ...marks, stillMs, compileMs: timeCompile() } });
    // what has been measured is none of the daemon's own
    setImmediate(() => delay.reset());
  }
});
process.once('disconnect', () => void daemon.stop().then(() => process.exit()));
report({ type: 'listening', port: (await daemon.start()).xdsPort });

function timeCompile(): number {
  const { config } = parseConfig(file, { file: settings.repository.file, validate });
  if (config === null) return NaN;
  const startedAt = now();
  toFields(compileRelease(config, { version: marks.version, subject: '' }), settings.release.encoding);
  return now() - startedAt;
}

function report(message: PathReport): void {
  process.send?.(message);
}

function timeGit(starter: ChildProcess | null): void {
  if (starter === null) throw new Error('startHelper() started no process');
  const send = starter.send.bind(starter) as (...args: unknown[]) => boolean;
  starter.send = (...args: unknown[]) => {
    if (marks.git === 0) marks.git = now();
    return send(...args);
  };
}
