import { status, type ServerDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { defaultXdsLimits } from './limits.ts';

/** Called with an internal error on one stream, and the peer's address. */
export type OnFailure = (peer: string, error: unknown) => void;

/**
 * Answers each request of a stream; a rejection with a gRPC status ends it. Reads the next request only after the answer has left, so a
 * client that does not read costs one answer.
 */
export function answerEach<Q, A>(answer: (request: Q) => A | Promise<A>, onFailure: OnFailure) {
  return (call: ServerDuplexStream<Q, A>): void => {
    call.on('data', (request: Q) => {
      call.pause();
      toAnswer(answer, request).then(
        (response) => call.write(response, () => call.resume()),
        (error: unknown) => call.emit('error', toGrpcStatus(error, call.getPeer(), onFailure)),
      );
    });
    call.on('end', () => call.end());
  };
}

async function toAnswer<Q, A>(answer: (request: Q) => A | Promise<A>, request: Q): Promise<A> {
  return await answer(request);
}

/** The error to send to the client. Anything without a gRPC status is an internal error: it is reported, and its details are withheld. */
export function toGrpcStatus(error: unknown, peer: string, onFailure: OnFailure): ServiceError {
  if (error instanceof Error && 'code' in error && 'details' in error) return error as ServiceError;
  onFailure(peer, error);
  return toServiceError(status.INTERNAL, INTERNAL_ERROR);
}

/** What clients are told of an error of ours, and when the server ends. */
export const INTERNAL_ERROR = 'internal error: see the log of the server';
export const SHUTTING_DOWN = 'the server is shutting down';

/** An error that ends a call with this status. */
export function toServiceError(code: status, message: string): ServiceError {
  // grpc-js throws when it can't encode the message: https://developer.mozilla.org/docs/Web/JavaScript/Reference/Errors/Malformed_URI
  const details = message.toWellFormed();
  return Object.assign(new Error(details), { code, details }) as ServiceError;
}

/** Longer than names may be on this port. */
export function isTooLong(text: string): boolean {
  const { nameBytes } = defaultXdsLimits;
  return text.length > nameBytes || Buffer.byteLength(text) > nameBytes;
}
