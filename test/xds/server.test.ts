import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Json } from '../../src/config/config.ts';
import { encodeRuntime } from '../../src/release/encode.ts';
import { root } from '../../src/xds/protos.ts';
import { XdsServer } from '../../src/xds/server.ts';
import type { Session } from '../../src/xds/session.ts';
import type { StreamAction } from '../../src/xds/stream/types.ts';
import { RUNTIME_TYPE, XdsClient, until } from './client.ts';

const settings = {
  address: '127.0.0.1',
  port: 0,
  resource: 'runtime',
  keepaliveMs: 20_000,
  maxStreams: 100,
  tls: null,
};
const Runtime = root.lookupType('envoy.service.runtime.v3.Runtime');

function release(version: string, fields: Record<string, Json>) {
  return { version, resource: encodeRuntime(new Map(Object.entries(fields)), 'runtime') };
}

describe('the xDS server', () => {
  const actions: { session: Session; action: StreamAction }[] = [];
  const server = new XdsServer({ settings, onAction: (session, action) => void actions.push({ session, action }) });
  let address = '';
  before(async () => {
    address = `127.0.0.1:${await server.listen()}`;
    server.offer(release('v1', { 'a.b': 1, c: 'x' }));
  });
  after(() => server.drain(0));

  it('pushes to a SotW stream, and again when the target moves', async () => {
    const client = new XdsClient(address, 'sotw');
    client.send({ node: { id: 'n1', cluster: 'c' }, resource_names: ['runtime'] });
    const first = await client.response(0);
    assert.equal(first.version_info, 'v1');
    assert.equal(first.nonce, '1');
    assert.equal(first.type_url, RUNTIME_TYPE);
    const layer = Runtime.toObject(Runtime.decode(first.resources![0]!.value!));
    assert.deepEqual(layer, {
      name: 'runtime',
      layer: { fields: { 'a.b': { numberValue: 1 }, c: { stringValue: 'x' } } },
    });
    client.send({ response_nonce: '1', version_info: 'v1', resource_names: ['runtime'] });
    await until(() => actions.some(({ action }) => action.type === 'acked'));
    server.offer(release('v2', {}));
    assert.equal((await client.response(1)).version_info, 'v2');
    client.close();
    await until(() => actions.at(-1)?.action.type === 'left');
    assert.deepEqual(
      actions.map(({ action }) => action.type),
      ['joined', 'send', 'acked', 'send', 'left'],
    );
  });

  it('pushes to a delta stream', async () => {
    const client = new XdsClient(address, 'deltaAds');
    client.send({ node: { id: 'n1' }, type_url: RUNTIME_TYPE, resource_names_subscribe: ['runtime', 'other'] });
    const first = await client.response(0);
    assert.equal(first.system_version_info, 'v2');
    assert.equal(first.resources![0]!.name, 'runtime');
    client.send({ type_url: RUNTIME_TYPE, response_nonce: first.nonce });
    assert.deepEqual((await client.response(1)).removed_resources, ['other']);
    client.close();
  });
});
