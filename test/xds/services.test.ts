import assert from 'node:assert/strict';
import { Client, credentials, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { describe, it } from 'node:test';
import protobuf from 'protobufjs/minimal.js';
import { service } from '../../src/xds/protos.ts';
import { until } from '../helpers/until.ts';
import { XdsClient } from './client.ts';
import { connectRaw } from './raw.ts';
import { release, settings, startServer } from './support.ts';

const csds = service('envoy.service.status.v3.ClientStatusDiscoveryService');
const health = service('grpc.health.v1.Health');

function call(
  address: string,
  method: MethodDefinition<object, object>,
  request: object,
): Promise<Record<string, unknown>> {
  const client = new Client(address, credentials.createInsecure());
  return new Promise<Record<string, unknown>>((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      (error, answer) => (error ? reject(error) : resolve(answer as Record<string, unknown>)),
    );
  }).finally(() => client.close());
}

describe('CSDS', () => {
  interface Resource {
    readonly name: string;
    readonly version_info?: string;
    readonly config_status: string;
    readonly client_status: string;
    readonly error_state?: { readonly details: string; readonly version_info: string };
  }
  async function statusOf(address: string, request: object = {}) {
    const { config = [] } = await call(address, csds['FetchClientStatus']!, request);
    return config as { node: Record<string, unknown>; generic_xds_configs: Resource[] }[];
  }
  const brief = ({ name, version_info, config_status, client_status, error_state }: Resource) =>
    [name, version_info, config_status, client_status, error_state?.version_info, error_state?.details]
      .join(' ')
      .trim();

  it('tells what each client was sent and what it said', async () => {
    await using test = await startServer();
    using client = new XdsClient(test.address);
    client.send({
      node: {
        id: 'n1',
        cluster: 'edge',
        locality: { region: 'eu' },
        user_agent_name: 'envoy',
        user_agent_version: '1.40',
      },
      resource_names: ['runtime', 'x'],
    });
    await client.response(1);
    const view = async () => (await statusOf(test.address))[0]!.generic_xds_configs.map(brief);
    assert.deepEqual((await statusOf(test.address))[0]!.node, {
      id: 'n1',
      cluster: 'edge',
      locality: { region: 'eu', zone: '', sub_zone: '' },
      user_agent_name: 'envoy',
      user_agent_version: '1.40',
      user_agent_version_type: 'user_agent_version',
    });
    assert.deepEqual(await view(), ['runtime  STALE REQUESTED', 'x  SYNCED DOES_NOT_EXIST']);
    client.answer(undefined, ['runtime', 'x']);
    await client.response(2);
    client.answer(undefined, ['runtime', 'x']);
    test.server.offer(release('v1'));
    await client.response(3);
    assert.equal((await view())[0], 'runtime none STALE ACKED');
    client.answer(undefined, ['runtime', 'x']);
    await until('the ACK', () => test.count('acked') === 2);
    assert.equal((await view())[0], 'runtime v1 SYNCED ACKED');
    test.server.offer(release('v2'));
    await client.response(4);
    client.answer('bad value', ['runtime', 'x']);
    await until('the NACK', () => test.count('nacked') === 1);
    assert.equal((await view())[0], 'runtime v1 ERROR NACKED v2 bad value');
  });

  it('reports the nodes that are asked for', async () => {
    await using test = await startServer();
    using one = new XdsClient(test.address);
    using two = new XdsClient(test.address, { kind: 'delta' });
    one.subscribe('edge-1');
    two.subscribe('core-1');
    await Promise.all([one.response(1), two.response(1)]);
    const ids = async (node_id: object) =>
      (await statusOf(test.address, { node_matchers: [{ node_id }] })).map(({ node }) => node['id']);
    assert.deepEqual(await ids({ exact: 'edge-1' }), ['edge-1']);
    assert.deepEqual(await ids({ prefix: 'CORE', ignore_case: true }), ['core-1']);
    assert.deepEqual((await ids({ suffix: '-1' })).sort(), ['core-1', 'edge-1']);
    assert.deepEqual(await ids({ contains: 'x' }), []);
    await assert.rejects(ids({}), (error: ServiceError) => error.code === status.UNIMPLEMENTED);
  });

  it('bounds the matchers of a request, and answers for more nodes than one turn is for', async () => {
    await using test = await startServer();
    const nodes = Array.from({ length: 120 }, () => new XdsClient(test.address));
    nodes.forEach((node, at) => node.subscribe(`n${at}`));
    await Promise.all(nodes.map((node) => node.response(1)));
    assert.equal((await statusOf(test.address)).length, 120);
    const exact = (id: string) => ({ node_id: { exact: id } });
    assert.equal((await statusOf(test.address, { node_matchers: [exact('n1'), exact('n119')] })).length, 2);
    const refused: [matchers: object[], words: RegExp][] = [
      [Array.from({ length: 17 }, () => exact('n1')), /more than 16 node_matchers/],
      [[exact('x'.repeat(257))], /a node matcher is longer than 256 bytes/],
    ];
    for (const [node_matchers, words] of refused)
      await assert.rejects(statusOf(test.address, { node_matchers }), (error: ServiceError) => {
        assert.equal(error.code, status.RESOURCE_EXHAUSTED);
        return words.test(error.details);
      });
    for (const node of nodes) node[Symbol.dispose]();
  });

  it('streams: one answer for each request', async () => {
    await using test = await startServer();
    const client = new Client(test.address, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = csds['StreamClientStatus']!;
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const answers: object[] = [];
    stream.on('data', (answer: object) => answers.push(answer));
    stream.write({});
    stream.write({});
    stream.end();
    await until('the end', () => new Promise((resolve) => stream.once('status', resolve)));
    assert.equal(answers.length, 2);
    client.close();
  });
});

describe('health', () => {
  const check = (address: string, name: string) => call(address, health['Check']!, { service: name });

  it('is SERVING while it serves, of all and of each service', async () => {
    await using test = await startServer();
    assert.deepEqual(await check(test.address, ''), { status: 'SERVING' });
    assert.deepEqual(await check(test.address, 'envoy.service.runtime.v3.RuntimeDiscoveryService'), {
      status: 'SERVING',
    });
    await assert.rejects(check(test.address, 'nobody'), (error: ServiceError) => error.code === status.NOT_FOUND);
    const { statuses } = (await call(test.address, health['List']!, {})) as { statuses: object };
    assert.ok('envoy.service.runtime.v3.RuntimeDiscoveryService' in statuses);
  });

  it('is what the daemon says, and NOT_SERVING once it drains', async () => {
    await using test = await startServer();
    test.server.setHealth(false);
    assert.deepEqual(await check(test.address, ''), { status: 'NOT_SERVING' });
    test.server.setHealth(true);
    using client = new XdsClient(test.address);
    client.subscribe('n1');
    await client.response(1);
    const watcher = watch(test.address, '');
    await until('SERVING', () => watcher.answers.length === 1);
    const drained = test.server.drain(5_000);
    await until('NOT_SERVING', () => watcher.answers.length === 2);
    assert.deepEqual(watcher.answers, ['SERVING', 'NOT_SERVING']);
    client.answer();
    watcher.close();
    await drained;
    assert.equal((await watcher.ended).code, status.UNAVAILABLE);
  });

  it('tells a watcher what changes, and keeps nothing of a name that is unknown', async () => {
    await using test = await startServer();
    const known = watch(test.address, 'envoy.service.runtime.v3.RuntimeDiscoveryService');
    const unknown = watch(test.address, 'nobody');
    const long = watch(test.address, 'x'.repeat(500_000));
    await until('the answers', () => known.answers.length === 1 && unknown.answers.length === 1);
    test.server.setHealth(false);
    test.server.setHealth(false);
    await until('the change', () => known.answers.length === 2);
    assert.deepEqual(known.answers, ['SERVING', 'NOT_SERVING']);
    assert.deepEqual(unknown.answers, ['SERVICE_UNKNOWN']);
    assert.equal((await long.ended).code, status.RESOURCE_EXHAUSTED);
    for (const each of [known, unknown, long]) each.close();
  });

  it('bounds watchers, by client, beside the checks', async () => {
    await using test = await startServer();
    const watchers = Array.from({ length: 20 }, () => watch(test.address, ''));
    await until('all', () => watchers.every(({ answers }) => answers.length === 1));
    const late = watch(test.address, '');
    assert.match(
      (await late.ended).details,
      /one client address may have at most 20 calls of reflection, CSDS and health/,
    );
    assert.deepEqual(await check(test.address, ''), { status: 'SERVING' });
    for (const each of [...watchers, late]) each.close();
  });

  function watch(address: string, name: string) {
    const client = new Client(address, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = health['Watch']!;
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: name });
    const answers: string[] = [];
    stream.on('data', (answer: { status: string }) => answers.push(answer.status)).on('error', () => undefined);
    const ended = new Promise<StatusObject>((resolve) => stream.once('status', resolve));
    return { answers, ended, close: () => client.close() };
  }
});

describe('reflection', () => {
  const names = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];
  for (const name of names)
    it(`${name} answers each request, and reads no further while its answer has not left`, async () => {
      await using test = await startServer();
      using connection = connectRaw(test.address);
      const stream = connection.request({
        ':method': 'POST',
        ':path': `/${name}/ServerReflectionInfo`,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const file = toReflectionFrame(4, 'envoy.service.discovery.v3.AggregatedDiscoveryService');
      stream.pause();
      let sent = 0;
      // What is not taken off our hands is not read: of 20 MB, the windows and buffers hold far less.
      await until('the server to stop reading', () => {
        for (; sent < 300_000 && stream.writableLength < 1_000_000; sent += 1) stream.write(file);
        return stream.writableLength >= 1_000_000;
      });
      assert.ok(sent < 100_000, `${sent} requests were read`);
      let bytes = 0;
      stream.on('data', (data: Buffer) => (bytes += data.length)).resume();
      await until('answers', () => bytes > 2_000_000);
    });

  it('refuses a name that is too long, whose answer would quote it', async () => {
    await using test = await startServer();
    using connection = connectRaw(test.address);
    const stream = connection.request({
      ':method': 'POST',
      ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let code: unknown;
    stream.on('response', (headers) => (code = headers['grpc-status'])).resume();
    stream.write(toReflectionFrame(4, 'x'.repeat(100_000)));
    await until('the status', () => code !== undefined);
    assert.equal(code, String(status.RESOURCE_EXHAUSTED));
  });

  /** A ServerReflectionRequest with one string: 4 is file_containing_symbol. */
  function toReflectionFrame(field: number, text: string): Buffer {
    const bytes = protobuf.Writer.create()
      .uint32((field << 3) | 2)
      .string(text)
      .finish();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  }
});

it('keepalive drops a client that answers no ping', async () => {
  await using test = await startServer({ settings: { ...settings, keepaliveMs: 50 } });
  const { connect } = await import('node:net');
  // An HTTP/2 preface, an empty SETTINGS frame, and silence.
  const socket = connect(test.port, '127.0.0.1');
  socket.write(
    Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]),
  );
  await until(
    'the end of the connection',
    () => new Promise((resolve) => socket.once('close', () => resolve(true)).resume()),
  );
});
