import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';

import { formatAddress, parseAddress } from '../../src/envoy/address.ts';
import { makeBootstrap, type BootstrapOptions } from '../../src/envoy/bootstrap.ts';
import { envoyBinary, envoyVersions, luaFilters, skipWithout, startEnvoy } from '../helpers/envoy.ts';
import { temporaryFolder } from '../helpers/git.ts';
import { exampleBootstrap, exampleFile } from './example.ts';

const options: BootstrapOptions = {
  xds: { host: '127.0.0.1', port: 18000 },
  listen: { host: '127.0.0.1', port: 0 },
  adminSocket: 'ADMIN_SOCKET',
  endpoints: [
    { host: '127.0.0.1', port: 8001 },
    { host: '::1', port: 8002 },
  ],
  lua: luaFilters,
};

const [one, two] = [
  { host: 'one.example', port: 1 },
  { host: '10.0.0.2', port: 2 },
];

interface Printed {
  node: { id: string; cluster: string };
  admin: unknown;
  layered_runtime: {
    layers: { name: string; static_layer?: object; rtds_layer?: { name: string; rtds_config: object } }[];
  };
  dynamic_resources?: { ads_config: { api_type: string } };
  static_resources: { clusters: { name: string; type: string; transport_socket?: object }[] };
}

const print = (changes: Partial<BootstrapOptions> = {}) => parse(makeBootstrap({ ...options, ...changes })) as Printed;
const clusterNames = (printed: Printed) => printed.static_resources.clusters.map(({ name }) => name);

test('hosts mode: one cluster; clusters mode: one for each slot', () => {
  assert.deepEqual(clusterNames(print()), ['xds', 'envoy_admin', 'backends']);
  assert.deepEqual(clusterNames(print({ mode: 'clusters' })), ['xds', 'envoy_admin', 'backend_0', 'backend_1']);
});

test('the runtime: fallback addresses lowest, then the pushed layers in order, an admin layer highest', () => {
  const { layers } = print({ layers: ['runtime', 'extra'] }).layered_runtime;
  assert.deepEqual(
    layers.map(({ name }) => name),
    ['fallback', 'rtds_runtime', 'rtds_extra', 'admin'],
  );
  assert.deepEqual(layers[0]?.static_layer, { 'shuffle_sharding.hosts': '127.0.0.1:8001,[::1]:8002' });
  assert.equal(layers[2]?.rtds_layer?.name, 'extra');
  assert.equal(print({ mode: 'clusters' }).layered_runtime.layers[0]?.name, 'rtds_runtime');
});

test('transports: SotW or delta, a stream of its own or ADS', () => {
  const source = (changes: Partial<BootstrapOptions>) => {
    const printed = print(changes);
    const rtds = printed.layered_runtime.layers[1]?.rtds_layer?.rtds_config as {
      ads?: object;
      api_config_source?: { api_type: string };
    };
    return [rtds.api_config_source?.api_type ?? 'ads', printed.dynamic_resources?.ads_config.api_type];
  };
  assert.deepEqual(source({}), ['GRPC', undefined]);
  assert.deepEqual(source({ transport: 'delta' }), ['DELTA_GRPC', undefined]);
  assert.deepEqual(source({ ads: true }), ['ads', 'GRPC']);
  assert.deepEqual(source({ ads: true, transport: 'delta' }), ['ads', 'DELTA_GRPC']);
});

test('the node has a name, of its own or the default', () => {
  assert.deepEqual(print().node, { id: 'envoy', cluster: 'shardplane' });
  assert.deepEqual(print({ node: { id: 'edge-1' } }).node, { id: 'edge-1', cluster: 'shardplane' });
});

test('what has a name is resolved, what has an address is not', () => {
  const typesOf = (changes: Partial<BootstrapOptions>) =>
    print(changes).static_resources.clusters.map(({ type }) => type);
  assert.deepEqual(typesOf({}), ['STATIC', 'STATIC', 'STATIC']);
  const named = { host: 'some.example', port: 1 };
  assert.deepEqual(typesOf({ xds: named, endpoints: [named] }), ['STRICT_DNS', 'STATIC', 'STRICT_DNS']);
});

test('standbys: a priority for each daemon, health checks, and all their names in TLS', () => {
  const tls = { ca: 'ca', cert: 'cert', key: 'key' };
  const [xds] = print({ xds: one, standbys: [two], tls }).static_resources.clusters;
  const { load_assignment, health_checks, transport_socket } = xds as unknown as {
    load_assignment: { endpoints: { priority?: number }[] };
    health_checks: { grpc_health_check?: object }[];
    transport_socket: { typed_config: object };
  };
  assert.deepEqual(
    load_assignment.endpoints.map(({ priority }) => priority),
    [undefined, 1],
  );
  assert.ok(health_checks[0]?.grpc_health_check);
  assert.match(JSON.stringify(transport_socket), /"auto_host_sni":true.*"exact":"one.example".*"exact":"10.0.0.2"/);
  assert.doesNotMatch(JSON.stringify(print().static_resources.clusters[0]), /health_check|priority|overprovisioning/);
});

test('addresses: HOST:PORT, brackets around IPv6, and nothing else', () => {
  const good: [string, string, number][] = [
    ['127.0.0.1:8001', '127.0.0.1', 8001],
    ['[::1]:0', '::1', 0],
    ['plane.example:65535', 'plane.example', 65535],
  ];
  for (const [text, host, port] of good) {
    assert.deepEqual(parseAddress(text), { host, port });
    assert.equal(formatAddress({ host, port }), text);
  }
  for (const text of ['', '8001', 'a:', ':1', 'a:65536', 'a:1x', '::1:80', '[1.2.3.4]:1', 'a b:1', 'a:1:2', '[::1]']) {
    assert.equal(parseAddress(text), null, text);
  }
});

test('the example is what the generator prints', () => {
  if (process.env.UPDATE_EXAMPLES === '1') writeFileSync(exampleFile, exampleBootstrap());
  assert.equal(readFileSync(exampleFile, 'utf8'), exampleBootstrap(), 'UPDATE_EXAMPLES=1 writes it anew');
});

const modes = ['hosts', 'clusters'] as const;
const transports = ['sotw', 'delta'] as const;
const combinations = modes.flatMap((mode) =>
  transports.flatMap((transport) => [false, true].map((ads) => ({ mode, transport, ads }))),
);

for (const version of envoyVersions) {
  describe(`Envoy ${version}`, { skip: skipWithout(version) }, () => {
    test('takes every combination', async () => {
      await using folder = await temporaryFolder();
      const tls = await makeCertificate(folder.path);
      for (const [i, choice] of [...combinations, { tls }, { tls, xds: one, standbys: [two] }].entries()) {
        const file = join(folder.path, `${i}.yaml`);
        writeFileSync(file, makeBootstrap({ ...options, ...choice, layers: ['runtime', 'more'] }));
        const { stdout } = await validate(version, file);
        assert.match(stdout, /OK/, JSON.stringify(choice));
      }
    });

    test('starts with it: an admin socket for its owner only, fallback values while there is no control plane', async () => {
      const alone = makeBootstrap({ ...options, xds: { host: '127.0.0.1', port: 1 } });
      const quick = alone.replaceAll(/( +)rtds_config:\n/g, '$&$1  initial_fetch_timeout: 0.1s\n');
      await using envoy = await startEnvoy({ version, bootstrap: quick });
      assert.equal(statSync(envoy.adminSocket).mode & 0o777, 0o600);
      const answer = await fetch(`http://127.0.0.1:${await envoy.port()}/`, { headers: { 'x-customer-id': 'a' } });
      assert.equal(answer.status, 503); // nothing listens there
      assert.equal(answer.headers.get('x-shard-config'), '2/2');
      assert.equal(answer.headers.get('x-shard-version'), 'fallback');
    });
  });
}

const run = promisify(execFile);

function validate(version: string, file: string) {
  return run(envoyBinary(version), ['--mode', 'validate', '-c', file, '--log-level', 'error'], { timeout: 20_000 });
}

async function makeCertificate(folder: string) {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=test', '-days', '2', '-nodes'];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  await run('openssl', ['req', '-x509', ...algorithm, ...subject, '-keyout', key, '-out', cert], { timeout: 20_000 });
  return { ca: cert, cert, key };
}
