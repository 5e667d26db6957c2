import { status, type ServerDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { defaultXdsLimits } from './limits.ts';

/** A fault of ours on one stream, by the peer's address. */
export type OnFailure = (peer: string, error: unknown) => void;

/**
 * One answer to each request of a stream; a rejection with a gRPC status ends it. It is not read on before the answer has left,
 * so a client that does not read costs one answer.
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

/** An error as the client is told of it: what is not meant for it is a fault of ours. */
export function toGrpcStatus(error: unknown, peer: string, onFailure: OnFailure): ServiceError {
  if (error instanceof Error && 'code' in error && 'details' in error) return error as ServiceError;
  onFailure(peer, error);
  return toServiceError(status.INTERNAL, 'the server has failed on this call: its log says how');
}

/** An error for the client. */
export function toServiceError(code: status, details: string): ServiceError {
  return Object.assign(new Error(details), { code, details }) as ServiceError;
}

/** Longer than any name may be on this port. */
export function isTooLong(text: string): boolean {
  const { nameBytes } = defaultXdsLimits;
  return text.length > nameBytes || Buffer.byteLength(text) > nameBytes;
}
