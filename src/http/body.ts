import type { IncomingMessage } from 'node:http';
import { HttpError } from './error.ts';

/** A request's body of at most `maxBytes`. Throws HttpError 413 as soon as it is larger, without reading on. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, 'body-too-large', `the body is larger than ${maxBytes} bytes`);
}
