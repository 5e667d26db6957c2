import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import protobuf from 'protobufjs/minimal.js';
import { RUNTIME_TYPE } from '../../../src/release/encode.ts';
import { encodeLayer } from '../../../src/release/layer.ts';
import { serveCommands } from './commands.ts';
import { makeConfig, makeRelease, versionOf } from './release.ts';

// The minimum for a server on @grpc/grpc-js: encode once, and write the same message to every stream. It reads
// and ignores answers: no nonces, no versions, no NACKs. Started as `bare.ts KEYS`; see commands.ts.

type Call = ServerDuplexStream<Buffer, Buffer>;

const config = makeConfig(Number(process.argv[2]));
const calls = new Set<Call>();
let message = encode(0);

const identity = (bytes: Buffer): Buffer => bytes;
const method = {
  path: '/envoy.service.runtime.v3.RuntimeDiscoveryService/StreamRuntime',
  requestStream: true,
  responseStream: true,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
};
const server = new Server({ 'grpc.max_send_message_length': -1 });
server.addService({ StreamRuntime: method }, { StreamRuntime: accept });
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  void serveCommands(port, change).then(() => server.forceShutdown());
});

function accept(call: Call): void {
  calls.add(call);
  call.once('data', () => call.write(message));
  call.on('data', () => undefined);
  call.on('cancelled', () => calls.delete(call));
  call.on('error', () => calls.delete(call));
}

function change(release: number): void {
  message = encode(release);
  for (const call of calls) call.write(message);
}

/** DiscoveryResponse: version_info 1, resources 2, type_url 4, nonce 5. */
function encode(release: number): Buffer {
  const head = protobuf.Writer.create();
  head.uint32(10).string(versionOf(release)).uint32(34).string(RUNTIME_TYPE).uint32(42).string(String(release));
  const resource = encodeLayer(makeRelease(config, release), { resource: 'runtime', encoding: 'keys' });
  return Buffer.concat([head.uint32(18).uint32(resource.length).finish(), resource]);
}
