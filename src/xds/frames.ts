import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import { FRAME_HEAD_BYTES } from './push.ts';

/**
 * Lets all streams write one framed buffer. grpc-js copies every message into a new frame for each stream (`serializeMessage`
 * of the call): 200 nodes and a 7 MB layer would be 1.4 GB of copies. Our pushes are framed already (push.ts), so methods whose
 * serializer is `unframe` skip that copy. `serializeMessage` is not public in grpc-js: in a version without it, `unframe` and the copy
 * are used.
 */
export const shareFrames: ServerInterceptor = (method, call) => {
  const isFramed = method.responseSerialize === (unframe as unknown);
  if (isFramed && 'serializeMessage' in call) call.serializeMessage = (frame: Buffer) => frame;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- grpc-js takes any call; its type is narrower
  return call as ServerInterceptingCall;
};

/** The message in a frame, for grpc-js to frame again. */
export function unframe(frame: Buffer): Buffer {
  return frame.subarray(FRAME_HEAD_BYTES);
}
