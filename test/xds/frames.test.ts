import assert from 'node:assert/strict';
import { Client, credentials, Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { it } from 'node:test';
import { shareFrames, unframe } from '../../src/xds/frames.ts';

const identity = (bytes: Buffer): Buffer => bytes;
const frame = (text: string): Buffer => Buffer.from(`\0\0\0\0${String.fromCharCode(text.length)}${text}`);

/** What a client gets when a server writes `bytes` to a method with this serializer. */
async function receive(bytes: Buffer, serialize: (bytes: Buffer) => Buffer): Promise<string[]> {
  const server = new Server({ interceptors: [shareFrames] });
  const path = '/test/Stream';
  const method = { path, requestStream: false, responseStream: true, requestSerialize: identity };
  server.addService(
    {
      Stream: { ...method, requestDeserialize: identity, responseSerialize: serialize, responseDeserialize: identity },
    },
    {
      Stream: (call: ServerWritableStream<Buffer, Buffer>) => {
        call.write(bytes);
        call.end();
      },
    },
  );
  const port = await new Promise<number>((resolve) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound));
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    const stream: AsyncIterable<Buffer> = client.makeServerStreamRequest(path, identity, identity, Buffer.alloc(0));
    const messages: string[] = [];
    for await (const message of stream) messages.push(message.toString());
    return messages;
  } finally {
    client.close();
    server.forceShutdown();
  }
}

it('a framed message is written as it is: grpc-js does not copy it into a frame of its own', async () => {
  // Two frames in one buffer arrive as two messages only if nobody framed them again.
  assert.deepEqual(await receive(Buffer.concat([frame('a'), frame('bc')]), unframe), ['a', 'bc']);
});

it('methods with another serializer are framed by grpc-js', async () => {
  assert.deepEqual(await receive(Buffer.from('hello'), identity), ['hello']);
});

it('unframe takes the head off, for a grpc-js that has to frame', () => {
  assert.equal(unframe(frame('hello')).toString(), 'hello');
});
