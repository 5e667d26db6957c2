import { status, type Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { answerEach, isTooLong, toServiceError, type OnFailure } from './answer.ts';
import { toReflection } from './descriptors.ts';

/** Adds server reflection (v1 and v1alpha) with back-pressure, which the library's own handlers lack. */
export function addReflection(server: Server, services: PackageDefinition, onFailure: OnFailure): void {
  const addService = (definition: ServiceDefinition, implementation: UntypedServiceImplementation): void => {
    const handler = implementation['ServerReflectionInfo'] as unknown as Handler;
    server.addService(definition, { ServerReflectionInfo: answerEach(toAnswer(handler), onFailure) });
  };
  new ReflectionService(toReflection(services)).addToServer({ addService });
}

/** What the library's handler uses of a stream. */
interface Stream {
  on(event: string, listener: (request: object) => void): void;
  write(response: object): void;
  end(): void;
}

type Handler = (stream: Stream) => void;

/** The library's handler answers each request with one synchronous write. */
function toAnswer(handler: Handler): (request: object) => object {
  let read: (request: object) => void = () => undefined;
  let answer: object = {};
  handler({
    on: (event, listener) => {
      if (event === 'data') read = listener;
    },
    write: (response) => {
      answer = response;
    },
    end: () => undefined,
  });
  return (request) => {
    // The answer contains the request.
    if (Object.values(request).some((value) => typeof value === 'string' && isTooLong(value)))
      throw toServiceError(status.RESOURCE_EXHAUSTED, 'a name is longer than 256 bytes');
    read(request);
    return answer;
  };
}
