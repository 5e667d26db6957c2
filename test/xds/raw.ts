import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { root, service } from '../../src/xds/protos.ts';

/** A gRPC stream by hand, for what no gRPC library does. */
export function openRaw(connection: ClientHttp2Session, name: string, method: string): ClientHttp2Stream {
  const stream = connection.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: service(name)[method]!.path,
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
  });
  stream.on('error', () => undefined);
  return stream;
}

/** `localAddress`: where it connects from. */
export function connectRaw(address: string, localAddress?: string): ClientHttp2Session & Disposable {
  // The client has no bound of its own: it is the server that is tried.
  const connection = connect(`http://${address}`, { maxSessionMemory: 1_000, ...(localAddress && { localAddress }) });
  connection.on('error', () => undefined);
  return Object.assign(connection, { [Symbol.dispose]: () => connection.destroy() });
}

/** A message of `type`, framed. */
export function toFrame(type: string, message: object): Buffer {
  const found = root.lookupType(type);
  const bytes = found.encode(found.fromObject(message)).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
