import { request } from 'node:http';
import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { CommandResult, DaemonInfo } from '../http/api.ts';
import type { Settings } from '../settings/settings.ts';
import { CliError } from './exit.ts';
import { settingsOf } from './options.ts';
import type { SettingsFlags } from './options.ts';
import { checkDaemon } from './same-daemon.ts';

/** A command takes longer: it may fetch from a remote, or check signatures. */
const timeoutMs = { question: 10_000, command: 120_000 };
const maxAnswerBytes = 64 * 1024 * 1024;

/** No daemon answers at the places that the settings name. */
export class NoDaemon extends CliError {}

/** A connection to the daemon that the flags mean: checkDaemon has compared the two. */
export interface Link {
  /** Null: an older daemon, which doesn't say. */
  readonly daemon: DaemonInfo | null;
  /** Resolves to null for a 404. Throws CliError. */
  ask(path: string): Promise<unknown>;
  /** Throws CliError. */
  command(path: string, command: CommandBody): Promise<CommandResult>;
}

/** What a command's request says, beside who sends it. */
export interface CommandBody {
  readonly version?: string;
  readonly node?: string;
  readonly why?: string;
  readonly all?: boolean;
  /** RFC 3339. */
  readonly until?: string | null;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Place = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/**
 * Finds the running daemon: by its control socket or, for questions, by its HTTP port; `--http-port` is tried first.
 * Throws NoDaemon when none answers, CliError when it is another daemon or access is denied.
 */
export async function findDaemon(flags: SettingsFlags, purpose: 'question' | 'command'): Promise<Link> {
  const settings = settingsOf(flags);
  const { place, answer } = await reach(settings, placesOf(settings, flags, purpose), purpose);
  const daemon = toInfo(answer, place);
  const isGuess = !('socketPath' in place) && flags.httpPort === undefined;
  if (daemon) checkDaemon(daemon, { settings, flags, where: wordsFor(place), isGuess });
  return {
    daemon,
    ask: (path) => get(place, path),
    command: (path, command) => post(place, path, command),
  };
}

function placesOf(settings: Settings, flags: SettingsFlags, purpose: 'question' | 'command'): Place[] {
  const socket = { socketPath: join(settings.state.directory, 'control.sock') };
  if (purpose === 'command') return [socket];
  const { address, port } = settings.http;
  const open = { host: ['0.0.0.0', '::'].includes(address) ? 'localhost' : address, port };
  return flags.httpPort !== undefined && flags.state === undefined ? [open] : [socket, open];
}

/** Tries the places in order; the first that answers wins. */
async function reach(settings: Settings, places: readonly Place[], purpose: 'question' | 'command') {
  const failures: { place: Place; code: string }[] = [];
  for (const place of places) {
    try {
      return { place, answer: await send(place, { method: 'GET', path: '/api/v1/daemon' }) };
    } catch (error) {
      if (error instanceof CliError) throw error;
      failures.push({ place, code: (error as NodeJS.ErrnoException).code ?? (error as Error).message });
    }
  }
  if (failures.some(({ code }) => code === 'EACCES')) throw notAllowed(settings, purpose);
  const tried = failures.map(({ place, code }) => `${wordsFor(place)} (${code})`).join(' or ');
  throw new NoDaemon(`no daemon answers at ${tried}`, { hint: hints[purpose] });
}

const hints = {
  question: 'start one with: shardplane serve; or name it by the --state directory or --http-port that it has',
  command: 'commands go over its control socket: run this as the daemon’s user, with the same --state',
};

function notAllowed({ state }: Settings, purpose: 'question' | 'command'): CliError {
  return new CliError(`the control socket in ${state.directory} may not be opened by this user (EACCES)`, {
    hint: `run this as the daemon’s user (${ownerOf(state.directory)}) or as root${purpose === 'question' ? '; to read, its --http-port is enough' : ''}`,
  });
}

function ownerOf(directory: string): string {
  try {
    return `uid ${statSync(directory).uid}`;
  } catch {
    return 'who owns the state directory';
  }
}

function wordsFor(place: Place): string {
  return 'socketPath' in place ? place.socketPath : `http://${place.host}:${place.port}`;
}

/** Null for a daemon that is older than `/api/v1/daemon`. */
function toInfo({ status, body }: Answer, place: Place): DaemonInfo | null {
  const { repository, error } = (body ?? {}) as { repository?: unknown; error?: { code?: unknown } };
  if (status === 200 && typeof repository === 'string') return body as DaemonInfo;
  if (status === 404 && error?.code === 'not-found') return null;
  throw new CliError(`what answers at ${wordsFor(place)} is not a shardplane daemon`, {
    hint: 'name the daemon by its --state directory or its --http-port',
  });
}

async function get(place: Place, path: string): Promise<unknown> {
  const { status, body } = await send(place, { method: 'GET', path }).catch((error: unknown) => {
    throw gone(error, place);
  });
  if (status === 404) return null;
  if (status !== 200) throw new CliError(wordsOf(body));
  return body;
}

async function post(place: Place, path: string, command: CommandBody): Promise<CommandResult> {
  const body = JSON.stringify({ ...command, by: userName() });
  const answer = await send(place, { method: 'POST', path, body }).catch((error: unknown) => {
    throw gone(error, place);
  });
  if (answer.status === 200 || answer.status === 409) return answer.body as CommandResult;
  throw new CliError(wordsOf(answer.body));
}

function gone(error: unknown, place: Place): CliError {
  if (error instanceof CliError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new CliError(`the daemon at ${wordsFor(place)} has stopped answering (${code ?? message})`);
}

/** Recorded in the ledger. A container's user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}

function send(place: Place, call: { method: string; path: string; body?: string }): Promise<Answer> {
  const timeout = call.method === 'POST' ? timeoutMs.command : timeoutMs.question;
  return new Promise((resolve, reject) => {
    const headers = call.body === undefined ? {} : { 'content-type': 'application/json' };
    const outgoing = request({ ...place, method: call.method, path: call.path, headers, timeout }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > maxAnswerBytes) outgoing.destroy(new CliError('the daemon’s answer is too large'));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parse(text) }));
      response.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new CliError(`the daemon gave no answer in ${timeout / 1000} s`)));
    outgoing.on('error', reject);
    outgoing.end(call.body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function wordsOf(body: unknown): string {
  const { error } = (body ?? {}) as { error?: { message?: string } };
  return error?.message ?? `the daemon’s answer is not understood: ${JSON.stringify(body).slice(0, 200)}`;
}
