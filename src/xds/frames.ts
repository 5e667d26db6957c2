import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import { FRAME_HEAD_BYTES } from './push.ts';

/**
 * Lets all streams write one framed buffer. grpc-js copies every message into a new frame for each stream (`serializeMessage`
 * of the call): 200 nodes and a 7 MB layer would be 1.4 GB of copies. Our pushes are framed already (push.ts), so for the
 * methods whose serializer is `unframe` that copy is taken out. It is not public in grpc-js: where a version has no such
 * method, `unframe` and the copy remain, and all works as before.
 */
export const shareFrames: ServerInterceptor = (method, call) => {
  const isFramed = method.responseSerialize === (unframe as unknown);
  if (isFramed && 'serializeMessage' in call) call.serializeMessage = (frame: Buffer) => frame;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- grpc-js takes any call; its type says less
  return call as ServerInterceptingCall;
};

/** The message inside of a frame, for grpc-js to frame again. */
export function unframe(frame: Buffer): Buffer {
  return frame.subarray(FRAME_HEAD_BYTES);
}
