import { readFile } from 'node:fs/promises';
import type { Redact } from '../secrets.ts';
import type { StatusRequest } from './providers.ts';
import type { HostAnswer } from './delivery.ts';

/** How much of an answer is read: it is only ever quoted. */
const answerBytes = 4096;

/** Reads a token anew, so that a rotated one counts at once. Throws with words that don't hold it. */
export async function readToken(file: string): Promise<string> {
  const token = (await readFile(file, 'utf8')).trim();
  // What a header can't hold would come back in the error of whoever is given it.
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
  const text = await readStart(response);
  return { status: response.status, header: (name) => response.headers.get(name), body: redact(text) };
}

async function readStart(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    chunks.push(bytes);
    length += bytes.length;
    if (length >= answerBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, answerBytes).toString('utf8');
}

/** Why there was no answer, in words: fetch hides the cause in `cause`. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
