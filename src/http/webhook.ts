import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { WebhookSender } from './api.ts';
import { readBody } from './body.ts';
import { HttpError } from './error.ts';

const maxBodyBytes = 1024 * 1024;

interface Sender {
  /** The header that proves the sender, and how. */
  readonly header: string;
  readonly proof: 'hmac-sha256' | 'token';
  readonly prefix: string;
}

/** How each sender proves itself, by its documentation. */
const senders: Readonly<Record<WebhookSender, Sender>> = {
  github: { header: 'x-hub-signature-256', proof: 'hmac-sha256', prefix: 'sha256=' },
  gitea: { header: 'x-gitea-signature', proof: 'hmac-sha256', prefix: '' },
  gitlab: { header: 'x-gitlab-token', proof: 'token', prefix: '' },
  generic: { header: 'x-shardplane-signature', proof: 'hmac-sha256', prefix: 'sha256=' },
};

/**
 * A webhook whose sender has proven to know the secret, and the ref that it speaks of (null: it names none, so any).
 * The proof is checked in constant time before the body is parsed. Throws HttpError.
 */
export async function checkWebhook(call: {
  sender: string;
  request: IncomingMessage;
  secrets: Readonly<Record<WebhookSender, string | null>>;
}): Promise<{ ref: string | null }> {
  if (!Object.hasOwn(senders, call.sender))
    throw new HttpError(404, 'not-found', `no webhook ${call.sender.slice(0, 50)}`);
  const name = call.sender as WebhookSender;
  const secret = await readSecret(name, call.secrets[name]);
  const body = await readBody(call.request, maxBodyBytes);
  if (!isProven({ sender: senders[name], headers: call.request.headers, body, secret }))
    throw new HttpError(401, 'signature', `the ${senders[name].header} header does not fit the secret`);
  return { ref: refOf(body) };
}

/** Read anew each time, so that a rotated secret counts at once. */
async function readSecret(name: string, path: string | null): Promise<string> {
  if (path === null)
    throw new HttpError(404, 'not-found', `the webhook ${name} has no secret: set http.webhooks.${name}`);
  const secret = await readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
  if (secret === '')
    throw new HttpError(503, 'secret-missing', `the secret file of the webhook ${name} cannot be read, or is empty`);
  return secret;
}

function isProven(call: { sender: Sender; headers: IncomingHttpHeaders; body: Buffer; secret: string }): boolean {
  const { sender, headers, body, secret } = call;
  const given = headers[sender.header];
  if (typeof given !== 'string') return false;
  const expected =
    sender.proof === 'token' ? secret : sender.prefix + createHmac('sha256', secret).update(body).digest('hex');
  return equalInConstantTime(given, expected);
}

/** Compares digests, so that not even the length of the secret shows in the time taken. */
function equalInConstantTime(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** The `ref` of a push event; every sender names it so. A body without one (a ping, a generic call) speaks of any. */
function refOf(body: Buffer): string | null {
  try {
    const { ref } = (JSON.parse(body.toString('utf8')) ?? {}) as { ref?: unknown };
    return typeof ref === 'string' ? ref : null;
  } catch {
    return null;
  }
}
