import assert from 'node:assert/strict';
import { connect, constants, type ClientHttp2Stream } from 'node:http2';
import { describe, it } from 'node:test';
import { root, service } from '../../src/xds/protos.ts';
import { until } from '../helpers/until.ts';
import { XdsClient, versionOf } from './client.ts';
import { release, startServer } from './support.ts';

const DiscoveryRequest = root.lookupType('envoy.service.discovery.v3.DiscoveryRequest');

function toFrame(request: object): Buffer {
  const message = DiscoveryRequest.encode(DiscoveryRequest.fromObject(request)).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

describe('a client that does not read', () => {
  it('costs one message, though it answers what it has not read', async () => {
    await using test = await startServer();
    const connection = connect(`http://${test.address}`);
    const { path } = service('envoy.service.runtime.v3.RuntimeDiscoveryService')['StreamRuntime']!;
    const stream: ClientHttp2Stream = connection.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    });
    stream.pause();
    // Larger than HTTP/2's window and the socket's buffers: it can't leave while nobody reads.
    const big = 'x'.repeat(4 * 1024 * 1024);
    test.server.offer(release('v1', { big }));
    stream.write(toFrame({ node: { id: 'n1' }, resource_names: ['runtime'] }));
    await until('the first push', () => test.count('send') === 1);
    for (let seq = 1; seq <= 20; seq += 1) {
      stream.write(toFrame({ response_nonce: String(seq), resource_names: ['runtime'] }));
      test.server.offer(release(`v${seq + 1}`, { big }));
    }
    using other = new XdsClient(test.address);
    other.subscribe('n2');
    assert.equal(versionOf(await other.response(1)), 'v21');
    assert.equal(test.count('send', 'n1'), 1);
    assert.equal(test.count('acked', 'n1'), 0);

    // It reads again, and gets the newest: what it had forged was read, and settled the first one only.
    stream.resume();
    await until('the newest push', () => test.count('send', 'n1') === 2);
    connection.destroy();
    await until('the end of it', () => test.count('left', 'n1') === 1);
  });
});

describe('many clients at once', () => {
  it('1,000 that join together all get the release, then the next one', async () => {
    await using test = await startServer();
    test.server.offer(release('v1', { a: 1 }));
    const clients = Array.from({ length: 1000 }, () => new XdsClient(test.address));
    try {
      clients.forEach((client, at) => {
        client.stream.on('data', () => client.answer());
        client.subscribe(`n${at}`);
      });
      await until('all ACKs of v1', () => test.count('acked') === 1000, 60_000);
      test.server.offer(release('v2', { a: 2 }));
      await until('all ACKs of v2', () => test.count('acked') === 2000, 60_000);
      for (const client of clients) assert.deepEqual(client.received.map(versionOf), ['v1', 'v2']);
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
    await until('all to have left', () => test.count('left') === 1000, 60_000);
    await until('no stream', () => [...test.server.sessions()].length === 0, 60_000);
  });
});
