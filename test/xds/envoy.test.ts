import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { envoyVersions, skipWithout, startEnvoy, type Envoy } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { toBootstrap } from './bootstrap.ts';
import { kinds } from './client.ts';
import { release, settings, startServer } from './support.ts';

const stat = async (envoy: Envoy, name: string): Promise<number> => Number((await envoy.stat(`runtime.${name}`)) ?? 0);
const hasVersion = (envoy: Envoy, version: string) =>
  until(`version_text ${version}`, async () => (await envoy.stat('runtime.version_text'))?.includes(version));

/** Does `/runtime_modify` work? It answers 503 while a layer is poisoned. */
const modify = async (envoy: Envoy): Promise<number> =>
  (await envoy.admin('/runtime_modify?some.key=1', 'POST')).status;

async function valueOf(envoy: Envoy, key: string): Promise<string | undefined> {
  const { entries } = JSON.parse((await envoy.admin('/runtime')).body) as {
    entries: Record<string, { final_value: string }>;
  };
  return entries[key]?.final_value;
}

for (const version of envoyVersions) {
  for (const kind of kinds) {
    describe(`Envoy ${version}, ${kind}`, { skip: skipWithout(version) }, () => {
      it('takes releases, refuses a bad one, and is healed by the last good one', async () => {
        await using test = await startServer();
        test.server.offer(release('v1', { 'a.b': 1 }));
        await using envoy = await startEnvoy({
          version,
          bootstrap: toBootstrap({ node: 'n1', port: test.port, kind }),
        });
        await hasVersion(envoy, 'v1');
        assert.equal(await valueOf(envoy, 'a.b'), '1');
        const [session] = [...test.server.sessions()];
        assert.deepEqual(
          { ...session?.node, userAgentVersion: session?.node?.userAgentVersion },
          { id: 'n1', cluster: 'test', locality: 'eu', userAgent: 'envoy', userAgentVersion: version, metadata: {} },
        );

        test.server.offer(release('v2', { 'a.b': [1] }));
        await until('the NACK', () => test.count('nacked') === 1);
        assert.notEqual(await modify(envoy), 200, 'a NACK poisons the layer');
        test.server.offer(release('v1', { 'a.b': 1 }));
        await until('the ACK of the healing push', () => test.count('acked') === 2);
        assert.equal(await modify(envoy), 200);
        assert.equal(await valueOf(envoy, 'a.b'), '1');
        assert.equal(await stat(envoy, 'update_rejected'), 1);

        test.server.offer(release('v3', { 'a.b': 3 }));
        await hasVersion(envoy, 'v3');
        assert.equal(await valueOf(envoy, 'a.b'), '3');
        assert.equal(await stat(envoy, 'update_rejected'), 1);
        assert.equal(test.count('stale'), 0);
        assert.equal(test.count('send'), 4);
      });

      it('with two layers is ready at once, and both are healed', async () => {
        await using test = await startServer();
        test.server.offer(release('v1', { 'a.b': 1 }));
        await using envoy = await startEnvoy({
          version,
          bootstrap: toBootstrap({ node: 'n1', port: test.port, kind, layers: ['runtime', 'other'] }),
        });
        await hasVersion(envoy, 'v1');
        await until('the answer about the other layer', () => test.count('send_absent') === 1);
        for (const [bad, good] of [
          ['v2', 'v1'],
          ['v3', 'v4'],
        ] as const) {
          const [acks, nacks] = [test.count('acked'), test.count('nacked')];
          test.server.offer(release(bad, { 'a.b': [1] }));
          await until(`the NACK of ${bad}`, () => test.count('nacked') === nacks + 1);
          test.server.offer(release(good, { 'a.b': 2 }));
          await until(`the ACK of ${good}`, () => test.count('acked') === acks + 1);
          assert.equal(await modify(envoy), 200);
          assert.equal(await valueOf(envoy, 'a.b'), '2');
        }
        assert.equal(test.count('absent_nacked'), 0);
      });
    });
  }
}

for (const version of envoyVersions) {
  describe(`Envoy ${version}`, { skip: skipWithout(version) }, () => {
    it('is ready at once while there is no release, and keeps what it has when the server restarts without one', async () => {
      await using test = await startServer();
      const { port } = test;
      await using envoy = await startEnvoy({ version, bootstrap: toBootstrap({ node: 'n1', port, kind: 'sotw' }) });
      await hasVersion(envoy, 'none');
      test.server.offer(release('v1', { 'a.b': 1 }));
      await hasVersion(envoy, 'v1');
      await test.server.drain(1000);
      await using second = await startServer({ settings: { ...settings, port } });
      await until('the reconnect', () => second.count('joined') === 1);
      assert.equal(second.count('send'), 0);
      assert.equal(await valueOf(envoy, 'a.b'), '1');
      second.server.offer(release('v2', { 'a.b': 2 }));
      await hasVersion(envoy, 'v2');
    });

    it('that was poisoned before a reconnect is healed by the answer to its first request', async () => {
      await using test = await startServer();
      const { port } = test;
      test.server.offer(release('v1', { 'a.b': 1 }));
      await using envoy = await startEnvoy({ version, bootstrap: toBootstrap({ node: 'n1', port, kind: 'sotw' }) });
      await hasVersion(envoy, 'v1');
      test.server.offer(release('v2', { 'a.b': [1] }));
      await until('the NACK', () => test.count('nacked') === 1);
      await test.server.drain(0);
      await using second = await startServer({ settings: { ...settings, port } });
      second.server.offer(release('v1', { 'a.b': 1 }));
      await until('the ACK', () => second.count('acked') === 1);
      assert.equal(await modify(envoy), 200);
      assert.deepEqual(second.actions.find(({ action }) => action.type === 'joined')?.action, {
        type: 'joined',
        claims: 'v1',
      });
    });

    it('that has what it shall have is sent nothing after a restart (delta)', async () => {
      await using test = await startServer();
      const { port } = test;
      test.server.offer(release('v1', { 'a.b': 1 }));
      await using envoy = await startEnvoy({ version, bootstrap: toBootstrap({ node: 'n1', port, kind: 'delta' }) });
      await hasVersion(envoy, 'v1');
      await test.server.drain(1000);
      await using second = await startServer({ settings: { ...settings, port }, trustsClaims: true });
      second.server.offer(release('v1', { 'a.b': 1 }));
      await until('the reconnect', () => second.count('kept') === 1);
      assert.equal(second.count('send'), 0);
      second.server.offer(release('v2', { 'a.b': 2 }));
      await hasVersion(envoy, 'v2');
      assert.equal(await valueOf(envoy, 'a.b'), '2');
    });

    it('that is stopped is dropped by keepalive, and gets the newest release when it goes on', async () => {
      await using test = await startServer({ settings: { ...settings, keepaliveMs: 200 } });
      test.server.offer(release('v1'));
      await using envoy = await startEnvoy({
        version,
        bootstrap: toBootstrap({ node: 'n1', port: test.port, kind: 'delta' }),
      });
      await hasVersion(envoy, 'v1');
      envoy.kill('SIGSTOP');
      test.server.offer(release('v2'));
      test.server.offer(release('v3'));
      await until('it to be dropped', () => test.count('left') === 1);
      envoy.kill('SIGCONT');
      await hasVersion(envoy, 'v3');
    });

    it('does not look at other types on ADS while RTDS works', async () => {
      await using test = await startServer();
      test.server.offer(release('v1'));
      const bootstrap = toBootstrap({ node: 'n1', port: test.port, kind: 'sotw ADS' }).replace(
        'dynamic_resources:',
        'dynamic_resources:\n  cds_config:\n    resource_api_version: V3\n    ads: {}\n    initial_fetch_timeout: 0.5s',
      );
      await using envoy = await startEnvoy({ version, bootstrap });
      await hasVersion(envoy, 'v1');
      assert.equal(test.count('unsupported'), 1);
      test.server.offer(release('v2'));
      await hasVersion(envoy, 'v2');
      assert.equal(test.count('unsupported'), 1);
    });
  });
}
