import assert from 'node:assert/strict';
import { credentials, status, type ChannelCredentials } from '@grpc/grpc-js';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadCredentials } from '../../src/xds/credentials.ts';
import { newestEnvoy, skipWithout, startEnvoy } from '../helpers/envoy.ts';
import { temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { toBootstrap } from './bootstrap.ts';
import { Authority, skipWithoutOpenssl, type KeyPair } from './certificates.ts';
import { XdsClient } from './client.ts';
import { release, settings, startServer } from './support.ts';

/** What a client needs to trust `ca`, and to show a certificate. */
function channel(ca: Authority, pair?: KeyPair): ChannelCredentials {
  const root = readFileSync(ca.certificate);
  return pair
    ? credentials.createSsl(root, readFileSync(pair.key), readFileSync(pair.certificate))
    : credentials.createSsl(root);
}

describe('TLS on the xDS port', { skip: skipWithoutOpenssl }, () => {
  it('serves a client that trusts the CA', async () => {
    await using folder = await temporaryFolder();
    const ca = new Authority(folder.path);
    const tls = { ...ca.issue('server', 'IP:127.0.0.1'), clientCa: null, san: null };
    await using test = await startServer({ settings: { ...settings, tls } });
    using client = new XdsClient(test.address, { channel: channel(ca) });
    client.subscribe('n1');
    await client.response(1);
    using plain = new XdsClient(test.address);
    plain.subscribe('n2');
    assert.equal((await plain.ended()).code, status.UNAVAILABLE);
  });

  it('asks for a certificate of the client CA, and for a SAN that names the node', async () => {
    await using folder = await temporaryFolder();
    const ca = new Authority(folder.path);
    const stranger = new Authority(folder.path, 'stranger');
    const tls = {
      ...ca.issue('server', 'IP:127.0.0.1'),
      clientCa: ca.certificate,
      san: 'spiffe://example.com/envoy/{node}',
    };
    await using test = await startServer({ settings: { ...settings, tls } });
    const edge = ca.issue('edge', 'DNS:edge.example.com', 'URI:spiffe://example.com/envoy/edge-1');
    using client = new XdsClient(test.address, { channel: channel(ca, edge) });
    client.subscribe('edge-1');
    await client.response(1);

    using impostor = new XdsClient(test.address, { channel: channel(ca, edge), kind: 'delta ADS' });
    impostor.subscribe('edge-2');
    const refused = await impostor.ended();
    assert.equal(refused.code, status.PERMISSION_DENIED);
    assert.match(refused.details, /no SAN of the client's certificate matches xds\.tls\.san for node\.id edge-2/);

    for (const pair of [undefined, stranger.issue('other', 'URI:spiffe://example.com/envoy/edge-1')]) {
      using nobody = new XdsClient(test.address, { channel: channel(ca, pair) });
      nobody.subscribe('edge-1');
      assert.equal((await nobody.ended()).code, status.UNAVAILABLE);
    }
    assert.equal(test.count('joined'), 1);
    assert.equal(test.count('reject'), 1);
  });

  it('looks at the bounds of node.id before it looks for its SAN', async () => {
    await using folder = await temporaryFolder();
    const ca = new Authority(folder.path);
    const tls = { ...ca.issue('server', 'IP:127.0.0.1'), clientCa: ca.certificate, san: '{node}.example.com' };
    await using test = await startServer({ settings: { ...settings, tls } });
    const pair = ca.issue('edge', 'DNS:edge-1.example.com');
    using mad = new XdsClient(test.address, { channel: channel(ca, pair) });
    mad.subscribe('('.repeat(300_000));
    assert.match((await mad.ended()).details, /node\.id is longer than 256 bytes/);
    using sane = new XdsClient(test.address, { channel: channel(ca, pair) });
    sane.subscribe('edge-1');
    await sane.response(1);
  });

  it('ends the stream of a client whose certificate has ended, and takes no new one', async () => {
    await using folder = await temporaryFolder();
    const ca = new Authority(folder.path);
    const tls = { ...ca.issue('server', 'IP:127.0.0.1'), clientCa: ca.certificate, san: null };
    const refusals: string[] = [];
    await using test = await startServer({
      settings: { ...settings, tls },
      onRefusal: (_peer, reason) => void refusals.push(reason),
    });
    const pair = ca.issueUntil(new Date(Date.now() + 3_000), 'edge', 'DNS:edge');
    using client = new XdsClient(test.address, { channel: channel(ca, pair) });
    client.subscribe('edge');
    await client.response(1);
    const { code, details } = await client.ended();
    assert.equal(code, status.UNAUTHENTICATED);
    assert.equal(details, "the client's certificate has expired");
    await until('the end of the session', () => test.count('left') === 1);
    // The connection is open still, a stream on it is not taken.
    const again = await client.again();
    assert.equal(again.code, status.UNAUTHENTICATED);
    assert.deepEqual(refusals, [details, details]);
  });

  it('gives no place to a stream that says nothing, or names a node that it may not be', async () => {
    await using folder = await temporaryFolder();
    const ca = new Authority(folder.path);
    const tls = { ...ca.issue('server', 'IP:127.0.0.1'), clientCa: ca.certificate, san: '{node}' };
    await using test = await startServer({ settings: { ...settings, tls, maxStreams: 1, maxStreamsPerClient: 3 } });
    const pair = ca.issue('edge', 'DNS:edge');
    using silent = new XdsClient(test.address, { channel: channel(ca, pair) });
    using impostor = new XdsClient(test.address, { channel: channel(ca, pair) });
    impostor.subscribe('other');
    assert.equal((await impostor.ended()).code, status.PERMISSION_DENIED);
    using client = new XdsClient(test.address, { channel: channel(ca, pair) });
    client.subscribe('edge');
    await client.response(1);
    using second = new XdsClient(test.address, { channel: channel(ca, pair) });
    second.subscribe('edge');
    assert.match((await second.ended()).details, /the server may have at most 1 streams/);
    await until('the silent one', () => [...test.server.sessions()].length === 2);
    using third = new XdsClient(test.address, { channel: channel(ca, pair) });
    using fourth = new XdsClient(test.address, { channel: channel(ca, pair) });
    assert.match(
      (await Promise.race([third.ended(), fourth.ended()])).details,
      /one client address may have at most 3 streams/,
    );
    silent.stream.end();
  });

  it('uses new files for new connections, and keeps open streams', async () => {
    await using folder = await temporaryFolder();
    const [before, after] = [new Authority(folder.path, 'before'), new Authority(folder.path, 'after')];
    const old = before.issue('old', 'IP:127.0.0.1');
    const next = after.issue('next', 'IP:127.0.0.1');
    const tls = {
      certificate: join(folder.path, 'tls.crt'),
      key: join(folder.path, 'tls.key'),
      clientCa: null,
      san: null,
    };
    const install = (pair: KeyPair): void => {
      copyFileSync(pair.certificate, tls.certificate);
      copyFileSync(pair.key, tls.key);
    };
    install(old);
    const reloads: (string | null)[] = [];
    await using test = await startServer({
      settings: { ...settings, tls },
      onTlsReload: (error) => void reloads.push(error?.message ?? null),
      tlsReloadMs: 10,
    });
    using client = new XdsClient(test.address, { channel: channel(before) });
    client.subscribe('n1');
    await client.response(1);
    client.answer();

    writeFileSync(tls.certificate, 'garbage');
    await until('the failed reload', () => reloads.length === 1);
    assert.notEqual(reloads[0], null);
    using still = new XdsClient(test.address, { channel: channel(before) });
    still.subscribe('n2');
    await still.response(1);

    install(next);
    await until('the reload', () => reloads.at(-1) === null);
    using later = new XdsClient(test.address, { channel: channel(after) });
    later.subscribe('n3');
    await later.response(1);
    using distrustful = new XdsClient(test.address, { channel: channel(before) });
    distrustful.subscribe('n4');
    assert.equal((await distrustful.ended()).code, status.UNAVAILABLE);

    test.server.offer(release('v1'));
    await client.response(2);
  });

  it('serves a real Envoy', { skip: skipWithout(newestEnvoy) }, async () => {
    await using folder = await temporaryFolder();
    const ca = new Authority(folder.path);
    const tls = { ...ca.issue('server', 'DNS:xds.example.com'), clientCa: ca.certificate, san: '{node}.example.com' };
    await using test = await startServer({ settings: { ...settings, tls } });
    test.server.offer(release('v1'));
    const bootstrap = toBootstrap({
      node: 'edge-1',
      port: test.port,
      kind: 'delta ADS',
      tls: { ca: ca.certificate, ...ca.issue('edge', 'DNS:edge-1.example.com') },
    });
    await using envoy = await startEnvoy({ bootstrap });
    await until('version_text', async () => (await envoy.stat('runtime.version_text'))?.includes('v1'));
  });

  it('does not start with files that are missing or do not fit', async () => {
    await using folder = await temporaryFolder();
    const ca = new Authority(folder.path);
    const [one, two] = [ca.issue('one', 'DNS:a'), ca.issue('two', 'DNS:a')];
    const load = (tls: Partial<KeyPair> & { san?: string; clientCa?: string }) =>
      loadCredentials({ tls: { ...one, clientCa: null, san: null, ...tls }, onReload: () => undefined });
    await assert.rejects(
      load({ certificate: join(folder.path, 'missing') }),
      /xds\.tls can't be used: ENOENT.*missing/,
    );
    await assert.rejects(load({ key: two.key }), /xds\.tls can't be used: .*mismatch/);
    const empty = join(folder.path, 'empty.crt');
    writeFileSync(empty, '\n');
    await assert.rejects(
      load({ clientCa: empty }),
      /xds\.tls can't be used: client_ca holds no certificate: .*empty\.crt/,
    );
    writeFileSync(empty, '-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n');
    await assert.rejects(load({ clientCa: empty }), /xds\.tls can't be used: /);
    await assert.rejects(load({ san: '{node}' }), /xds\.tls\.san needs xds\.tls\.client_ca/);
  });
});
