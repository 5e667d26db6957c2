import assert from 'node:assert/strict';
import { Client, credentials, status, type StatusObject } from '@grpc/grpc-js';
import { describe, it } from 'node:test';
import { toNetwork } from '../../src/xds/client-of.ts';
import { defaultXdsLimits } from '../../src/xds/limits.ts';
import { service } from '../../src/xds/protos.ts';
import { until } from '../helpers/until.ts';
import { XdsClient } from './client.ts';
import { connectRaw, openRaw, toFrame } from './raw.ts';
import { release, settings, startServer } from './support.ts';

const RTDS = 'envoy.service.runtime.v3.RuntimeDiscoveryService';
const REQUEST = 'envoy.service.discovery.v3.DiscoveryRequest';

/** A stream of any method, and its status once it has ended. */
function openStream(client: Client, name: string, method: string) {
  const { path, requestSerialize, responseDeserialize } = service(name)[method]!;
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  stream.on('error', () => undefined).on('data', () => undefined);
  return { stream, ended: new Promise<StatusObject>((resolve) => stream.once('status', resolve)) };
}

describe('the gate of the xDS port', () => {
  it('ends what says nothing: streams of xDS, CSDS and health, and calls that do not end', async () => {
    const limits = { ...defaultXdsLimits, firstMessageMs: 100 };
    const refusals: string[] = [];
    await using test = await startServer({ limits, onRefusal: (_peer, reason) => void refusals.push(reason) });
    const client = new Client(test.address, credentials.createInsecure());
    const methods = [
      [RTDS, 'StreamRuntime'],
      ['envoy.service.discovery.v3.AggregatedDiscoveryService', 'DeltaAggregatedResources'],
      ['envoy.service.status.v3.ClientStatusDiscoveryService', 'StreamClientStatus'],
      ['grpc.health.v1.Health', 'Watch'],
      ['grpc.health.v1.Health', 'Check'],
    ] as const;
    const open = methods.map(([name, method]) => openStream(client, name, method));
    open.at(-1)!.stream.write({}); // and no half-close: grpc-js does not answer before it
    const ends = await Promise.all(open.map(({ ended }) => ended));
    assert.deepEqual(
      ends.map(({ code, details }) => [code, details]),
      methods.map(() => [status.DEADLINE_EXCEEDED, 'it sent nothing for 0.1 s']),
    );
    assert.equal(refusals.length, methods.length);
    client.close();
    await until('no session', () => [...test.server.sessions()].length === 0);
  });

  it('leaves a stream alone that has spoken', async () => {
    await using test = await startServer({ limits: { ...defaultXdsLimits, firstMessageMs: 50 } });
    using quiet = new XdsClient(test.address);
    using client = new XdsClient(test.address);
    client.subscribe('n1');
    await client.response(1);
    assert.equal((await quiet.ended()).code, status.DEADLINE_EXCEEDED);
    test.server.offer(release('v1'));
    client.answer();
    await client.response(2);
  });

  it('has so many streams for one client, and frees them', async () => {
    await using test = await startServer({ settings: { ...settings, maxStreamsPerClient: 2 } });
    using one = new XdsClient(test.address);
    one.subscribe('n1');
    await one.response(1);
    {
      using two = new XdsClient(test.address);
      two.subscribe('n2');
      await two.response(1);
      using three = new XdsClient(test.address);
      const { code, details } = await three.ended();
      assert.equal(code, status.RESOURCE_EXHAUSTED);
      assert.equal(details, 'one client address may have at most 2 streams (xds.max_streams_per_client)');
    }
    await until('the second to be gone', () => [...test.server.sessions()].length === 1);
    using four = new XdsClient(test.address);
    four.subscribe('n4');
    await four.response(1);
  });

  it('ends the one that has waited longest when too many say nothing', async () => {
    await using test = await startServer({ limits: { ...defaultXdsLimits, waiting: 2 } });
    const silent: XdsClient[] = [];
    for (let at = 0; at < 3; at += 1) {
      silent.push(new XdsClient(test.address));
      await until('it to wait', () => [...test.server.sessions()].length === Math.min(at + 1, 2));
    }
    assert.deepEqual(await silent[0]!.ended().then(({ code, details }) => [code, details]), [
      status.RESOURCE_EXHAUSTED,
      'it sent nothing while 2 other streams connected',
    ]);
    using client = new XdsClient(test.address);
    client.subscribe('n1');
    await client.response(1);
    for (const each of silent) each[Symbol.dispose]();
  });

  it('is rid of a client that does not read, and of one that does not close', async () => {
    const limits = { ...defaultXdsLimits, unreadMs: 100, closingMs: 100 };
    await using test = await startServer({ limits });
    // Larger than HTTP/2's window and the socket's buffers: it can't leave while nobody reads.
    test.server.offer(release('v1', { big: 'x'.repeat(4 * 1024 * 1024) }));
    using connection = connectRaw(test.address);
    const deaf = openRaw(connection, RTDS, 'StreamRuntime');
    deaf.pause();
    deaf.write(toFrame(REQUEST, { node: { id: 'deaf' }, resource_names: ['runtime'] }));
    await until('the push', () => test.count('send') === 1);
    await until('the end of it', () => test.count('left') === 1 && [...test.server.sessions()].length === 0);
    const rejected = openRaw(connection, RTDS, 'StreamRuntime');
    rejected.write(toFrame(REQUEST, { resource_names: ['runtime'] }));
    const open = await until('its end', () => (rejected.closed ? { code: rejected.rstCode } : null));
    assert.equal(open.code, 8);
  });

  it('drops the stream that has sent most when all together have sent more than can be kept', async () => {
    await using test = await startServer({ limits: { ...defaultXdsLimits, unreadBytes: 1_000_000 } });
    using client = new XdsClient(test.address);
    client.subscribe('n1');
    await client.response(1);
    using connection = connectRaw(test.address);
    const unfinished = Buffer.alloc(500_000);
    unfinished.writeUInt32BE(600_000, 1);
    const streams = [1, 2, 3].map(() => openRaw(connection, RTDS, 'StreamRuntime'));
    for (const stream of streams) stream.resume().write(unfinished);
    const dropped = await until('one to be dropped', () => streams.filter(({ rstCode }) => rstCode === 11)[0]);
    assert.equal(dropped.closed, true);
    test.server.offer(release('v1'));
    client.answer();
    await client.response(2);
  });

  it('keeps a connection whose other streams end by the thousand', async () => {
    await using test = await startServer();
    using connection = connectRaw(test.address);
    const healthy = openRaw(connection, RTDS, 'StreamRuntime');
    healthy.resume();
    healthy.write(toFrame(REQUEST, { node: { id: 'healthy' }, resource_names: ['runtime'] }));
    await until('it to join', () => test.count('joined') === 1);
    for (let batch = 1; batch <= 20; batch += 1) {
      for (let at = 0; at < 100; at += 1) {
        const bad = openRaw(connection, RTDS, 'StreamRuntime');
        bad.on('response', () => bad.close(8)).resume();
        bad.write(toFrame(REQUEST, { resource_names: ['runtime'] }));
      }
      await until('their ends', () => test.count('reject') === batch * 100);
    }
    assert.equal(healthy.closed, false);
    test.server.offer(release('v1'));
    healthy.write(toFrame(REQUEST, { response_nonce: '0', resource_names: ['runtime'] }));
    await until('the next push', () => test.count('send') === 2);
  });

  it('closes old connections, and their clients come again', async () => {
    await using test = await startServer({ settings: { ...settings, maxConnectionAgeMs: 200 } });
    using client = new XdsClient(test.address);
    client.subscribe('n1');
    await client.response(1);
    const { code } = await client.ended();
    assert.equal(code, status.UNAVAILABLE);
  });

  it('counts an IPv6 client by its /64', () => {
    const networks = ['10.0.0.1', '::ffff:10.0.0.1', '::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::9', 'fe80::1%eth0'];
    assert.deepEqual(networks.map(toNetwork), [
      '10.0.0.1',
      '10.0.0.1',
      '0:0:0:0::/64',
      '2001:db8:1:2::/64',
      '2001:db8:1:2::/64',
      'fe80:0:0:0::/64',
    ]);
  });
});
