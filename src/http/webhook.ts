import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { WebhookSender } from './api.ts';
import { readBody } from './body.ts';
import type { Budget } from './body.ts';
import { HttpError } from './http-error.ts';

const maxBodyBytes = 1024 * 1024;

/** For all webhooks at once: anyone can send a body with something that looks like a signature. */
const bodies: Budget = { bytes: 0, maxBytes: 8 * 1024 * 1024 };

interface Sender {
  /** The header that authenticates the sender. */
  readonly header: string;
  readonly proof: 'hmac-sha256' | 'token';
  readonly prefix: string;
}

const hexDigest = /^[0-9a-f]{64}$/;

/** As each sender documents it. */
const senders: Readonly<Record<WebhookSender, Sender>> = {
  github: { header: 'x-hub-signature-256', proof: 'hmac-sha256', prefix: 'sha256=' },
  gitea: { header: 'x-gitea-signature', proof: 'hmac-sha256', prefix: '' },
  gitlab: { header: 'x-gitlab-token', proof: 'token', prefix: '' },
  generic: { header: 'x-shardplane-signature', proof: 'hmac-sha256', prefix: 'sha256=' },
};

/**
 * Authenticates a webhook, and returns the ref that it is about (null: any). What the headers alone disprove is refused before
 * the body is read; a signature is checked, in constant time, before the body is parsed. Throws HttpError.
 */
export async function checkWebhook(call: {
  sender: string;
  request: IncomingMessage;
  secrets: Readonly<Record<WebhookSender, string | null>>;
}): Promise<{ ref: string | null }> {
  if (!Object.hasOwn(senders, call.sender))
    throw new HttpError(404, 'not-found', `no webhook ${call.sender.slice(0, 50)}`);
  const name = call.sender as WebhookSender;
  const sender = senders[name];
  const secret = await readSecret(name, call.secrets[name]);
  const given = proofOf(sender, call.request.headers, secret);
  const body = await readBody(call.request, maxBodyBytes, bodies);
  if (sender.proof === 'hmac-sha256' && !equalInConstantTime(given, sign(body, secret))) throw unproven(sender);
  return { ref: refOf(body) };
}

/** Re-read each time, so that a rotated secret takes effect at once. */
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

/** The token, which is checked, or the signature, which is yet to be. Throws HttpError 401. */
function proofOf(sender: Sender, headers: IncomingHttpHeaders, secret: string): string {
  const header = headers[sender.header];
  if (typeof header !== 'string') throw new HttpError(401, 'signature', `the ${sender.header} header is missing`);
  const given = header.startsWith(sender.prefix) ? header.slice(sender.prefix.length) : '';
  const fits = sender.proof === 'token' ? equalInConstantTime(given, secret) : hexDigest.test(given);
  if (!fits) throw unproven(sender);
  return given;
}

function unproven({ header }: Sender): HttpError {
  return new HttpError(401, 'signature', `the ${header} header does not match the secret`);
}

function sign(body: Buffer, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

/** Compares digests, so that the time taken doesn't reveal even the secret's length. */
function equalInConstantTime(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** All senders call it `ref`. A body without one (a ping, a generic call) is about any ref. */
function refOf(body: Buffer): string | null {
  try {
    const { ref } = (JSON.parse(body.toString('utf8')) ?? {}) as { ref?: unknown };
    return typeof ref === 'string' ? ref : null;
  } catch {
    return null;
  }
}
