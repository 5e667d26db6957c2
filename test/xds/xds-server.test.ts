import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { describe, it } from 'node:test';
import { root } from '../../src/xds/protos.ts';
import type { XdsServer } from '../../src/xds/xds-server.ts';
import { until } from '../helpers/until.ts';
import { XdsClient, kinds, versionOf } from './client.ts';
import { release, settings, startServer } from './support.ts';

const Runtime = root.lookupType('envoy.service.runtime.v3.Runtime');

for (const kind of kinds) {
  describe(`an xDS stream (${kind})`, () => {
    it('gets the release, then each new one, and says what it thinks of it', async () => {
      await using test = await startServer();
      test.server.offer(release('v1', { 'a.b': 1 }));
      using client = new XdsClient(test.address, { kind });
      client.subscribe('n1');
      assert.equal(versionOf(await client.response(1)), 'v1');
      client.answer();
      await until('the ACK', () => test.count('acked') === 1);
      test.server.offer(release('v2', { 'a.b': [] }));
      assert.equal(versionOf(await client.response(2)), 'v2');
      client.answer('Invalid runtime entry value for a.b');
      await until('the NACK', () => test.count('nacked') === 1);
      test.server.offer(release('v1', { 'a.b': 1 }));
      assert.equal(versionOf(await client.response(3)), 'v1');
      client.answer();
      await until('the second ACK', () => test.count('acked') === 2);
      client.stream.end();
      assert.equal((await client.ended()).code, status.OK);
      assert.deepEqual(
        test.actions.map(({ action }) => action.type),
        ['joined', 'send', 'acked', 'send', 'nacked', 'send', 'acked', 'left'],
      );
    });

    it('that refuses all it gets is sent each push once', async () => {
      await using test = await startServer();
      using client = new XdsClient(test.address, { kind });
      client.stream.on('data', () => client.answer('no'));
      client.subscribe('n1');
      await client.response(1);
      const versions = ['v1', 'v2', 'v3', 'v4', 'v5'];
      for (const [at, version] of versions.entries()) {
        test.server.offer(release(version));
        await until(`the NACK of ${version}`, () => test.count('nacked') >= at + 2);
      }
      assert.deepEqual(client.received.map(versionOf), ['none', ...versions]);
    });
  });
}

describe('the xDS server', () => {
  it('sends the layer as it was encoded', async () => {
    await using test = await startServer();
    test.server.offer(release('v1', { 'a.b': 1, c: 'x' }));
    using client = new XdsClient(test.address);
    client.subscribe('n1');
    const [resource] = (await client.response(1)).resources!;
    assert.deepEqual(Runtime.toObject(Runtime.decode(resource!.value!)), {
      name: 'runtime',
      layer: { fields: { 'a.b': { numberValue: 1 }, c: { stringValue: 'x' } } },
    });
  });

  it('calls onAction in order and never nested, also when it offers', async () => {
    let depth = 0;
    const seen: string[] = [];
    const cell: { server?: XdsServer } = {};
    await using test = await startServer({
      onAction: (_session, action) => {
        assert.equal((depth += 1), 1);
        seen.push(action.type === 'send' ? `send ${action.target.version}` : action.type);
        if (action.type === 'joined') cell.server?.offer(release('v2'));
        depth -= 1;
      },
    });
    cell.server = test.server;
    test.server.offer(release('v1'));
    using client = new XdsClient(test.address);
    client.subscribe('n1');
    await client.response(1);
    client.answer();
    assert.equal(versionOf(await client.response(2)), 'v2');
    client.answer();
    await until('the last ACK', () => seen.length === 5);
    assert.deepEqual(seen, ['joined', 'send v1', 'acked', 'send v2', 'acked']);
  });

  it('knows each node, and shows two streams of one id as duplicates', async () => {
    await using test = await startServer();
    using first = new XdsClient(test.address);
    first.send({
      node: {
        id: 'n1',
        cluster: 'edge',
        locality: { region: 'eu', zone: 'eu-1' },
        user_agent_name: 'envoy',
        user_agent_build_version: { version: { major_number: 1, minor_number: 40, patch: 2 } },
      },
      resource_names: ['runtime', 'x'],
    });
    await first.response(1);
    const [session] = [...test.server.sessions()];
    assert.deepEqual(session?.node, {
      id: 'n1',
      cluster: 'edge',
      locality: 'eu/eu-1',
      userAgent: 'envoy',
      userAgentVersion: '1.40.2',
      metadata: {},
    });
    assert.match(session.peer, /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(session.resources, ['runtime', 'x']);
    assert.equal(session.last.sent?.version, 'none');
    assert.equal(test.server.isDuplicate(session), false);
    {
      using second = new XdsClient(test.address, { kind: 'delta ADS' });
      second.subscribe('n1');
      await second.response(1);
      assert.equal(test.server.isDuplicate(session), true);
    }
    await until('the second to be gone', () => [...test.server.sessions()].length === 1);
    assert.equal(test.server.isDuplicate(session), false);
  });

  it('says in words why it ends a stream', async () => {
    await using test = await startServer({ settings: { ...settings, maxStreams: 1 } });
    using nameless = new XdsClient(test.address);
    nameless.send({ resource_names: ['runtime'] });
    const { code, details } = await nameless.ended();
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.match(details, /must name a node/);
    using huge = new XdsClient(test.address);
    huge.send({ node: { id: 'n', cluster: 'x'.repeat(2_000_000) } });
    const tooBig = await huge.ended();
    assert.equal(tooBig.code, status.RESOURCE_EXHAUSTED);
    assert.match(tooBig.details, /larger than max/);
    using first = new XdsClient(test.address);
    first.subscribe('n1');
    await first.response(1);
    using second = new XdsClient(test.address);
    second.subscribe('n2');
    const full = await second.ended();
    assert.equal(full.code, status.RESOURCE_EXHAUSTED);
    assert.match(full.details, /at most 1 streams/);
    assert.equal(test.count('reject'), 2, 'they are reported; what is too large ends in grpc-js');
  });

  it('ends the one stream on which it fails itself, and says so', async () => {
    const failures: unknown[] = [];
    await using test = await startServer({
      onAction: (session, { type }) => {
        if (session.node?.id === 'mad' && type === 'acked') throw new Error('our fault \ud800');
      },
      onFailure: (peer, error) => void failures.push([peer, String(error)]),
    });
    using sane = new XdsClient(test.address);
    using mad = new XdsClient(test.address);
    sane.subscribe('sane');
    mad.subscribe('mad');
    await Promise.all([sane.response(1), mad.response(1)]);
    const { peer } = [...test.server.sessions()].find(({ node }) => node?.id === 'mad')!;
    mad.answer();
    assert.equal((await mad.ended()).code, status.INTERNAL);
    assert.deepEqual(failures, [[peer, 'Error: our fault \ud800']]);
    test.server.offer(release('v1'));
    sane.answer();
    assert.equal(versionOf(await sane.response(2)), 'v1');
  });

  it('sends nothing to a delta node that has the target, unless it has left a push unaccepted', async () => {
    await using test = await startServer({ trustsClaims: true });
    test.server.offer(release('v1'));
    const reconnect = (): XdsClient => {
      const client = new XdsClient(test.address, { kind: 'delta' });
      client.send({
        node: { id: 'n1' },
        resource_names_subscribe: ['runtime'],
        initial_resource_versions: { runtime: 'v1' },
      });
      return client;
    };
    {
      using first = reconnect();
      await until('it to be known as having it', () => test.count('kept') === 1);
      const [session] = [...test.server.sessions()];
      assert.equal(session?.last.acked?.version, 'v1');
      test.server.offer(release('v2'));
      assert.equal(versionOf(await first.response(1)), 'v2');
      first.answer('no');
      await until('the NACK', () => test.count('nacked') === 1);
    }
    await until('it to be gone', () => test.count('left') === 1);
    test.server.offer(release('v1'));
    {
      using poisoned = reconnect();
      assert.equal(versionOf(await poisoned.response(1)), 'v1');
      poisoned.answer();
      await until('the ACK', () => test.count('acked') === 1);
    }
    await until('it to be gone again', () => test.count('left') === 2);
    using healed = reconnect();
    await until('it to be trusted', () => test.count('kept') === 2);
    assert.equal(healed.received.length, 0);
  });

  it('drains: no new streams, a moment for answers, UNAVAILABLE for all', async () => {
    await using test = await startServer();
    using client = new XdsClient(test.address);
    client.subscribe('n1');
    await client.response(1);
    client.answer();
    await until('the ACK', () => test.count('acked') === 1);
    test.server.offer(release('v1'));
    await client.response(2);
    const drained = test.server.drain(10_000);
    using late = new XdsClient(test.address);
    late.subscribe('n2');
    assert.equal((await late.ended()).code, status.UNAVAILABLE);
    client.answer();
    assert.deepEqual(await client.ended().then(({ code, details }) => ({ code, details })), {
      code: status.UNAVAILABLE,
      details: 'the server is shutting down',
    });
    await drained;
    assert.deepEqual(
      test.actions.map(({ action }) => action.type),
      ['joined', 'send', 'acked', 'send', 'acked', 'left'],
    );
  });

  it('drains in the time given, also from a client that never answers', async () => {
    await using test = await startServer();
    using client = new XdsClient(test.address);
    client.subscribe('n1');
    await client.response(1);
    client.stream.pause();
    await test.server.drain(50);
    assert.equal([...test.server.sessions()].filter(({ member }) => member).length, 0);
  });

  it('rejects when it cannot listen', async () => {
    await using test = await startServer();
    await assert.rejects(
      startServer({ settings: { ...settings, port: test.port } }),
      /the xDS address 127\.0\.0\.1:\d+ is in use: another shardplane, or set xds\.port/,
    );
  });
});
