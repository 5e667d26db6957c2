import { readFile } from 'node:fs/promises';
import { readStart } from '../response.ts';
import type { Redact } from '../secrets.ts';
import type { StatusRequest } from './providers.ts';
import type { HostAnswer } from './delivery.ts';

/** How much of a response is read: it is only quoted in messages. */
const answerBytes = 4096;

/** Re-reads the token, so that a rotated one takes effect at once. Throws an error that doesn't contain it. */
export async function readToken(file: string): Promise<string> {
  const token = (await readFile(file, 'utf8')).trim();
  // fetch would quote an invalid token in its error
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error(`${file} holds no token: one line of printable ASCII is expected`);
  return token;
}

/**
 * Calls a git host's API. `redact` goes over the whole of what it answers, before anything of it is cut off: a host may
 * send our own headers back. Throws when there is no answer.
 */
export async function call(
  { url, headers, body }: StatusRequest,
  { signal, redact }: { signal: AbortSignal; redact: Redact },
): Promise<HostAnswer> {
  // A redirect is not followed: the token would go along.
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
  const { text } = await readStart(response, answerBytes);
  return { status: response.status, header: (name) => response.headers.get(name), body: redact(text) };
}
