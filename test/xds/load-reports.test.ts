import assert from 'node:assert/strict';
import { credentials, status } from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Load } from '../../src/load/load.ts';
import { defaultXdsLimits } from '../../src/xds/limits.ts';
import { decodeReport, defaultReportLimits, ReportFault } from '../../src/xds/load/decode.ts';
import { LRS } from '../../src/xds/load/load-reports.ts';
import { root } from '../../src/xds/protos.ts';
import { temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { Authority, skipWithoutOpenssl } from './certificates.ts';
import { XdsClient } from './client.ts';
import { LOAD_STATS_REQUEST, LoadClient, toReport } from './load-client.ts';
import { connectRaw, openRaw, toFrame } from './raw.ts';
import { settings, startServer } from './support.ts';
import type { XdsServerOptions } from '../../src/xds/xds-server.ts';

const limits = defaultXdsLimits;

/** A server whose load reports go to `load`. */
async function startLoadServer(options: Partial<XdsServerOptions> = {}) {
  const load = new Load({ now: Date.now });
  const refusals: string[] = [];
  const test = await startServer({
    onLoad: load,
    onRefusal: (_peer, reason) => void refusals.push(reason),
    ...options,
  });
  const sum = () => load.sum(() => true, 0);
  const clients = new DisposableStack();
  const stop = () => {
    clients.dispose();
    return test[Symbol.asyncDispose]();
  };
  return { ...test, load, refusals, sum, clients, [Symbol.asyncDispose]: stop };
}

type Server = Awaited<ReturnType<typeof startLoadServer>>;

/** A member of the fleet of that node.id, until the server ends. */
async function join(test: Server, node: string): Promise<XdsClient> {
  const client = test.clients.use(new XdsClient(test.address));
  client.subscribe(node);
  await client.response(1);
  return client;
}

describe('the Load Reporting Service', () => {
  it('asks for all clusters, and counts those that are the customers’ traffic', async () => {
    await using test = await startLoadServer();
    await join(test, 'n1');
    using client = new LoadClient(test.address);
    client.begin('n1');
    assert.equal(await client.interval(1), 10);
    const [first] = client.received;
    assert.deepEqual(
      [first?.send_all_clusters, first?.clusters, first?.report_endpoint_granularity],
      [true, undefined, undefined],
    );
    client.report({ backends: [90, 10], backend_7: [5, 0], xds: [0, 40], envoy_admin: [1_000, 0] });
    await until('the report', () => test.sum().requests > 0);
    assert.deepEqual(test.sum(), { requests: 105, errors: 10 });
    const { requests, errors } = test.load.of('n1')!;
    assert.deepEqual({ requests, errors }, { requests: 105, errors: 10 });
    assert.equal(test.server.loadStreams, 1);
    client.stream.end();
    assert.equal((await client.ended()).code, status.OK);
    await until('no stream', () => test.server.loadStreams === 0 && !test.load.isReporting);
    assert.deepEqual(test.refusals, []);
  });

  it('tells all open streams, and later ones, of another interval, and none of the same', async () => {
    await using test = await startLoadServer();
    using one = new LoadClient(test.address);
    one.begin('n1');
    assert.equal(await one.interval(1), 10);
    test.server.setLoadInterval(2_000);
    test.server.setLoadInterval(2_000);
    using two = new LoadClient(test.address);
    two.begin('n2');
    assert.deepEqual([await one.interval(2), await two.interval(1)], [2, 2]);
    test.server.setLoadInterval(1_500);
    assert.deepEqual([await one.interval(3), await two.interval(2)], [1.5, 1.5]);
  });

  it('asks many nodes less often', async () => {
    await using test = await startLoadServer({ limits: { ...limits, reportsPerSecond: 0.5 } });
    using one = new LoadClient(test.address);
    one.begin('n1');
    assert.equal(await one.interval(1), 10);
    test.server.setLoadInterval(2_000);
    assert.equal(await one.interval(2), 2);
    using two = new LoadClient(test.address);
    two.begin('n2');
    assert.equal(await two.interval(1), 4);
    test.server.setLoadInterval(1_000);
    assert.deepEqual([await one.interval(3), await two.interval(2)], [4, 4]);
    test.server.setLoadInterval(10_000);
    assert.deepEqual([await one.interval(4), await two.interval(3)], [10, 10]);
  });

  it('counts no report of a node that has no xDS stream, until it has one, nor afterwards', async () => {
    await using test = await startLoadServer();
    using client = new LoadClient(test.address);
    client.begin('n1');
    await client.interval(1);
    client.report({ backends: [1, 0] });
    const other = await join(test, 'n2');
    client.report({ backends: [2, 0] });
    const member = await join(test, 'n1');
    client.report({ backends: [4, 0] });
    await until('the report', () => test.sum().requests === 4);
    assert.deepEqual([test.load.hasNode('n1'), test.load.hasNode('n2')], [true, false]);
    for (const each of [other, member]) each[Symbol.dispose]();
    await until('all to have left', () => test.count('left') === 2);
    client.report({ backends: [8, 0] });
    await until('the report', () => !test.load.isReporting);
    assert.equal(test.sum().requests, 4);
  });

  it('ends a stream that reports the load of a node whose xDS stream is another client’s', async () => {
    await using test = await startLoadServer();
    await join(test, 'n1');
    using own = new LoadClient(test.address);
    own.begin('n1');
    using elsewhere = connectRaw(test.address, '127.0.0.2');
    const stranger = openRaw(elsewhere, LRS, 'StreamLoadStats');
    const trailers = new Promise<Record<string, unknown>>((resolve) => stranger.once('trailers', resolve));
    stranger.resume();
    stranger.write(toFrame(LOAD_STATS_REQUEST, { node: { id: 'n1' } }));
    stranger.write(toFrame(LOAD_STATS_REQUEST, toReport({ backends: [0, 1_000_000] })));
    assert.equal(Number((await trailers)['grpc-status']), status.PERMISSION_DENIED);
    assert.match(test.refusals.join(), /the load of node\.id n1 is reported by another client than the one of its xDS/);
    own.report({ backends: [3, 1] });
    await until('the report', () => test.sum().requests > 0);
    assert.deepEqual(test.sum(), { requests: 4, errors: 1 });
  });

  it('adds up the streams of one node.id, as of two Envoys that share it, which the status shows as duplicates', async () => {
    await using test = await startLoadServer();
    await join(test, 'n1');
    await join(test, 'n1');
    using first = new LoadClient(test.address);
    using second = new LoadClient(test.address);
    for (const client of [first, second]) {
      client.begin('n1');
      await client.interval(1);
      client.report({ backends: [1, 1] });
    }
    await until('both reports', () => test.sum().requests === 4);
    assert.ok([...test.server.sessions()].every((session) => test.server.isDuplicate(session)));
    first.stream.end();
    await first.ended();
    assert.equal(test.load.hasNode('n1'), true);
  });

  it('ends what is silent, nameless, garbage or over a limit, and nothing else', async () => {
    await using test = await startLoadServer({ limits: { ...limits, firstMessageMs: 300 } });
    await join(test, 'n1');
    using good = new LoadClient(test.address);
    good.begin('n1');
    await good.interval(1);
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`c${at}`, [1, 0] as const]));
    const locality = { total_successful_requests: 1 };
    const bad: [string, object | null, RegExp][] = [
      ['DEADLINE_EXCEEDED', null, /it sent nothing for 0\.3 s/],
      ['INVALID_ARGUMENT', {}, /node\.id is empty/],
      ['INVALID_ARGUMENT', { node: { id: 'a\nb' } }, /control character/],
      ['RESOURCE_EXHAUSTED', { node: { id: 'n'.repeat(257) } }, /node\.id is longer than 256 bytes/],
      ['RESOURCE_EXHAUSTED', { node: { id: 'n1' }, ...toReport(many(10_000)) }, /more than 5000 clusters/],
      [
        'RESOURCE_EXHAUSTED',
        { node: { id: 'n1' }, ...toReport({ ['c'.repeat(1_025)]: [1, 0] }) },
        /name is longer than 1024/,
      ],
      [
        'RESOURCE_EXHAUSTED',
        {
          node: { id: 'n1' },
          cluster_stats: [{ cluster_name: 'c', upstream_locality_stats: Array(20_001).fill(locality) }],
        },
        /more than 20000 localities/,
      ],
      ['RESOURCE_EXHAUSTED', { node: { id: 'n1' }, ...toReport({ ['c'.repeat(1_100_000)]: [1, 0] }) }, /larger than/],
    ];
    for (const [code, message, words] of bad) {
      using client = new LoadClient(test.address);
      if (message !== null) client.stream.write(message);
      const { code: got, details } = await client.ended();
      assert.deepEqual([status[got], words.test(details)], [code, true], details);
    }
    assert.equal(test.server.loadStreams, 1);
    assert.deepEqual(test.sum(), { requests: 0, errors: 0 });
    good.report(many(5_000));
    await until('the good report', () => test.sum().requests === 5_000);
  });

  it('ends a stream whose bytes are no report, first or later', async () => {
    await using test = await startLoadServer();
    await join(test, 'n1');
    for (const garbage of [
      Buffer.from([0xff]),
      Buffer.from([0x0a, 0x05, 1]),
      Buffer.from([0x10, 0x01]),
      Buffer.alloc(9, 0xff),
    ]) {
      using connection = connectRaw(test.address);
      const stream = openRaw(connection, LRS, 'StreamLoadStats');
      const trailers = new Promise<Record<string, unknown>>((resolve) => stream.once('trailers', resolve));
      stream.resume();
      stream.write(toFrame(LOAD_STATS_REQUEST, { node: { id: 'n1' } }));
      const head = Buffer.alloc(5);
      head.writeUInt32BE(garbage.length, 1);
      stream.write(Buffer.concat([head, garbage]));
      assert.equal(Number((await trailers)['grpc-status']), status.INVALID_ARGUMENT);
    }
    await until('no stream', () => test.server.loadStreams === 0);
  });

  it('is read no further while the client does not read, and keeps one response for it', async () => {
    await using test = await startLoadServer();
    using connection = connectRaw(test.address);
    // No window: nothing that we send can leave.
    connection.settings({ initialWindowSize: 0 });
    await new Promise((resolve) => connection.once('localSettings', resolve));
    const stream = openRaw(connection, LRS, 'StreamLoadStats');
    stream.write(toFrame(LOAD_STATS_REQUEST, { node: { id: 'n1' } }));
    await until('the stream', () => test.server.loadStreams === 1);
    for (let ms = 1; ms <= 1_000; ms += 1) test.server.setLoadInterval(ms);
    const frames: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => frames.push(bytes));
    connection.settings({ initialWindowSize: 65_535 });
    const type = root.lookupType('envoy.service.load_stats.v3.LoadStatsResponse');
    const intervals = () =>
      messagesOf(Buffer.concat(frames)).map((bytes) => type.toObject(type.decode(bytes), { longs: Number }));
    await until('the newest', () => intervals().length === 2);
    assert.deepEqual(
      intervals().map(({ load_reporting_interval }) => load_reporting_interval as object),
      [
        { seconds: 10, nanos: 0 },
        { seconds: 1, nanos: 0 },
      ],
    );
  });

  it('has so many streams for one client, and in all', async () => {
    const few = await startLoadServer({ settings: { ...settings, maxStreamsPerClient: 1 } });
    {
      await using test = few;
      using one = new LoadClient(test.address);
      one.begin('n1');
      await one.interval(1);
      using two = new LoadClient(test.address);
      assert.match((await two.ended()).details, /streams of load reports \(xds\.max_streams_per_client\)/);
      const member = await join(test, 'n1'); // they are counted apart from xDS
      assert.equal(member.received.length, 1);
    }
    await using test = await startLoadServer({ settings: { ...settings, maxStreams: 1 } });
    using one = new LoadClient(test.address);
    one.begin('n1');
    await one.interval(1);
    using two = new LoadClient(test.address);
    two.begin('n2');
    const { code, details } = await two.ended();
    assert.deepEqual(
      [code, /at most 1 streams of load reports \(xds\.max_streams\)/.test(details)],
      [status.RESOURCE_EXHAUSTED, true],
    );
  });

  it('ends its streams when the server shuts down', async () => {
    const test = await startLoadServer();
    using client = new LoadClient(test.address);
    client.begin('n1');
    await client.interval(1);
    await test[Symbol.asyncDispose]();
    assert.equal((await client.ended()).code, status.UNAVAILABLE);
    assert.equal(test.server.loadStreams, 0);
  });

  it('survives an error of ours: the stream ends, and it is reported', async () => {
    const failures: unknown[] = [];
    const onLoad = {
      open: () => undefined,
      close: () => undefined,
      add: () => {
        throw new Error('broken');
      },
    };
    await using test = await startLoadServer({ onLoad, onFailure: (_peer, error) => void failures.push(error) });
    await join(test, 'n1');
    using client = new LoadClient(test.address);
    client.begin('n1');
    assert.equal((await client.ended()).code, status.INTERNAL);
    assert.match(String(failures[0]), /broken/);
    await until('no stream', () => test.server.loadStreams === 0);
  });

  it('takes a node.id only from a client whose SAN names it', { skip: skipWithoutOpenssl }, async () => {
    await using folder = await temporaryFolder();
    const ca = new Authority(folder.path);
    const tls = { ...ca.issue('server', 'IP:127.0.0.1'), clientCa: ca.certificate, san: 'spiffe://x/{node}' };
    await using test = await startLoadServer({ settings: { ...settings, tls, maxStreams: 1 } });
    const channelOf = (name: string, node: string) => {
      const pair = ca.issue(name, `URI:spiffe://x/${node}`);
      return credentials.createSsl(
        readFileSync(ca.certificate),
        readFileSync(pair.key),
        readFileSync(pair.certificate),
      );
    };
    const n1 = channelOf('n1', 'n1');
    using impostor = new LoadClient(test.address, n1);
    impostor.begin('n2');
    const { code, details } = await impostor.ended();
    assert.equal(code, status.PERMISSION_DENIED);
    assert.match(details, /no SAN of the client's certificate matches xds\.tls\.san for node\.id n2/);

    using member = new XdsClient(test.address, { channel: n1 });
    member.subscribe('n1');
    await member.response(1);
    // Its certificate was renewed meanwhile; the impostor has taken no place.
    using client = new LoadClient(test.address, channelOf('renewed', 'n1'));
    client.begin('n1');
    await client.interval(1);
    client.report({ backends: [1, 1] });
    await until('the report', () => test.sum().requests === 2);
  });
});

describe('the sums of a report', () => {
  const type = root.lookupType(LOAD_STATS_REQUEST);

  it('are those that the protobuf library reads', () => {
    const count = fc.nat(2 ** 31 - 1);
    const locality = fc.record({ total_successful_requests: count, total_error_requests: count });
    const cluster = fc.record({
      cluster_name: fc.constantFrom('backends', 'xds', 'envoy_admin', 'xds2', ''),
      upstream_locality_stats: fc.array(locality, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(cluster, { maxLength: 5 }), fc.string(), (cluster_stats, id) => {
        const bytes = Buffer.from(type.encode(type.fromObject({ node: { id }, cluster_stats })).finish());
        const counted = cluster_stats
          .filter(({ cluster_name }) => cluster_name !== 'xds' && cluster_name !== 'envoy_admin')
          .flatMap((each) => each.upstream_locality_stats);
        const errors = counted.reduce((sum, each) => sum + each.total_error_requests, 0);
        const requests = counted.reduce((sum, each) => sum + each.total_successful_requests, errors);
        assert.deepEqual(decodeReport(bytes, { ...defaultReportLimits, requests: Infinity }), { requests, errors });
      }),
    );
  });

  it('are bounded, and bytes that are no report are a fault and nothing worse', () => {
    const most = '18446744073709551615';
    const huge = type.encode(
      type.fromObject({ cluster_stats: [{ upstream_locality_stats: [{ total_error_requests: most }] }] }),
    );
    assert.deepEqual(decodeReport(Buffer.from(huge.finish()), defaultReportLimits), { requests: 1e9, errors: 1e9 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          const { requests, errors } = decodeReport(Buffer.from(bytes), defaultReportLimits);
          assert.ok(requests >= errors && errors >= 0);
        } catch (error) {
          assert.ok(error instanceof ReportFault);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** The messages in gRPC's frames; without those that are not complete. */
function messagesOf(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}
