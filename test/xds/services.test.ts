import assert from 'node:assert/strict';
import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { describe, it } from 'node:test';
import { service } from '../../src/xds/protos.ts';
import { until } from '../helpers/until.ts';
import { XdsClient } from './client.ts';
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
  });
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
