import { request } from 'node:http';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { CommandResult } from '../http/api.ts';
import type { Settings } from '../settings/settings.ts';
import { CliError } from './exit.ts';

/** A command may fetch from a remote, or check signatures. */
const timeoutMs = { question: 10_000, command: 120_000 };
const maxAnswerBytes = 64 * 1024 * 1024;

/** Nothing answers where the settings say that the daemon is. */
export class NoDaemon extends CliError {}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Asks the running daemon. Null: it knows no such thing (404). Throws CliError when no daemon answers, or it refuses. */
export async function askDaemon(settings: Settings, path: string): Promise<unknown> {
  const { status, body } = await reach(settings, { method: 'GET', path });
  if (status === 404) return null;
  if (status !== 200) throw new CliError(wordsOf(body));
  return body;
}

/** Gives the daemon a command over its control socket. Throws CliError. */
export async function commandDaemon(
  settings: Settings,
  path: string,
  command: { version?: string },
): Promise<CommandResult> {
  const body = JSON.stringify({ ...command, by: userName() });
  const answer = await send({ socketPath: controlSocket(settings) }, { method: 'POST', path, body }).catch(
    (error: unknown) => {
      if (error instanceof CliError) throw error;
      throw noDaemon(
        settings,
        error,
        'commands are taken over its control socket: run this as the daemon’s user, with the same --state',
      );
    },
  );
  if (answer.status === 200 || answer.status === 409) return answer.body as CommandResult;
  throw new CliError(wordsOf(answer.body));
}

/** The control socket first: it is found by the state directory, whatever port the daemon was given. */
async function reach(settings: Settings, call: { method: string; path: string }): Promise<Answer> {
  try {
    return await send({ socketPath: controlSocket(settings) }, call);
  } catch (error) {
    if (!['ENOENT', 'EACCES', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    const { address, port } = settings.http;
    return send({ host: address === '0.0.0.0' ? '127.0.0.1' : address, port }, call).catch((error: unknown) => {
      if (error instanceof CliError) throw error;
      throw noDaemon(settings, error, 'start one with: shardplane serve');
    });
  }
}

/** Who gives the command, for the ledger. A container's user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}

function controlSocket(settings: Settings): string {
  return join(settings.state.directory, 'control.sock');
}

function send(
  where: { socketPath: string } | { host: string; port: number },
  call: { method: string; path: string; body?: string },
): Promise<Answer> {
  const timeout = call.method === 'POST' ? timeoutMs.command : timeoutMs.question;
  return new Promise((resolve, reject) => {
    const headers = call.body === undefined ? {} : { 'content-type': 'application/json' };
    const outgoing = request({ ...where, method: call.method, path: call.path, headers, timeout }, (response) => {
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
  return error?.message ?? `the daemon gave an answer that is not understood: ${JSON.stringify(body).slice(0, 200)}`;
}

function noDaemon(settings: Settings, error: unknown, hint: string): NoDaemon {
  const { address, port } = settings.http;
  const where = `${controlSocket(settings)} or http://${address}:${port}`;
  return new NoDaemon(
    `no daemon answers at ${where} (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
    { hint },
  );
}
