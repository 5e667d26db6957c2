import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/** A limit on all bodies that are being read at once; `bytes` is what they hold now. */
export interface Budget {
  bytes: number;
  readonly maxBytes: number;
}

/**
 * Reads a request's body of at most `maxBytes`, within a budget shared with other requests.
 * Throws HttpError: 400 when it ends early, 411 without a length, 413 for a larger one, 503 over the budget.
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  budget: Budget | null = null,
): Promise<Buffer> {
  checkLength(request, maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (budget) spend(budget, chunk.length);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw error instanceof HttpError ? error : new HttpError(400, 'body', 'the body ended early');
  } finally {
    if (budget) budget.bytes -= size;
  }
}

function spend(budget: Budget, bytes: number): void {
  budget.bytes += bytes;
  if (budget.bytes > budget.maxBytes) throw new HttpError(503, 'busy', 'too much is being sent at once: try again');
}

/** Node's parser enforces content-length, so checking the header is enough. */
function checkLength({ headers }: IncomingMessage, maxBytes: number): void {
  const length = headers['content-length'];
  if (length === undefined) throw new HttpError(411, 'length', 'send the body with a content-length');
  if (Number(length) > maxBytes)
    throw new HttpError(413, 'body-too-large', `the body is larger than ${maxBytes} bytes`);
}
