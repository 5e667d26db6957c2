import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';

import { rtdsLayers, xdsCluster } from '../../src/envoy/xds.ts';
import { startBackend } from '../helpers/backend.ts';
import { envoyVersions, luaFilters, newestEnvoy, skipWithout, startEnvoy, type Envoy } from '../helpers/envoy.ts';
import { temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { release, startServer } from '../xds/support.ts';
import { startLayered, viewFields } from './layers.ts';
import {
  answerDirectly,
  filtersBootstrap,
  luaSetups,
  makeClient,
  withSettings,
  type Bootstrap,
  type Client,
} from './support.ts';

const oldest = [...envoyVersions].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))[0]!;

/** A backend that answers when it is told to, or cuts the connection. */
async function startHolding() {
  const held: ServerResponse[] = [];
  const server = createServer((_, response) => void held.push(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    held,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

for (const { version, kind, lua } of luaSetups)
  describe(`Envoy ${version}, ${kind}, a request in flight`, { skip: skipWithout(version) }, () => {
    test('keeps the view that it began with: its host, its headers', async () => {
      await using before = await startHolding();
      await using after = await startBackend();
      const endpoints = [before.address, after.address];
      await using layered = await startLayered({ version, lua, endpoints, edit: () => undefined });
      const view = { total_hosts: 1, default_shard_size: 1 };
      await layered.push(viewFields({ ...view, hosts: before.address, version: 'before' }));
      const waiting = layered.client.as('a');
      await until('the request is at the backend', () => before.held.length === 1);
      await layered.push(viewFields({ ...view, hosts: after.address, version: 'after' }));
      const later = await layered.client.as('a');
      assert.deepEqual([later.body, later.headers['x-shard-version']], [after.address, 'after']);
      before.held[0]!.end('late');
      const answer = await waiting;
      assert.deepEqual([answer.body, answer.headers['x-shard-version']], ['late', 'before']);
    });
  });

async function freePort(): Promise<number> {
  await using backend = await startBackend();
  return backend.port;
}

/** Keeps one connection: so it stays with the process that accepted it. */
const versionAt = async (client: Client) => (await client.as('a')).headers['x-shard-version'];

for (const version of new Set([oldest, newestEnvoy]))
  describe(`Envoy ${version}, a hot restart`, { skip: skipWithout(version) }, () => {
    test('the new process has the release before its first request, the old one drains with good values', async () => {
      await using folder = await temporaryFolder();
      await using server = await startServer();
      const xds = { host: '127.0.0.1', port: server.port };
      const listen = { host: '127.0.0.1', port: await freePort() };
      const lua = withSettings(luaFilters, { refresh_ms: 0 });
      const bootstrap = parse(filtersBootstrap({ listen, lua })) as Bootstrap;
      answerDirectly(bootstrap);
      bootstrap.layered_runtime.layers = [...rtdsLayers({ xds }), { name: 'admin', admin_layer: {} }];
      const { clusters } = bootstrap.static_resources;
      clusters.splice(
        clusters.findIndex(({ name }) => name === 'xds'),
        1,
        xdsCluster({ xds }),
      );
      const baseIdFile = join(folder.path, 'base-id');
      const start = async (epoch: number): Promise<Envoy> => {
        const base = epoch === 0 ? ['--use-dynamic-base-id'] : ['--base-id', await readFile(baseIdFile, 'utf8')];
        const times = ['--drain-time-s', '30', '--parent-shutdown-time-s', '40'];
        const args = [...base, '--base-id-path', baseIdFile, '--restart-epoch', String(epoch), ...times];
        return await startEnvoy({
          version,
          bootstrap: stringify(bootstrap),
          hotRestart: true,
          folder: folder.path,
          args,
        });
      };
      const push = (label: string) =>
        server.server.offer(release(label, viewFields({ total_hosts: 8, default_shard_size: 2, version: label })));
      push('one');
      await using old = await start(0);
      using kept = makeClient(listen.port);
      assert.equal(await versionAt(kept), 'one');
      await using young = await start(1);
      const epochOf = async () => {
        const info = JSON.parse((await young.admin('/server_info')).body) as {
          command_line_options: { restart_epoch: number };
        };
        return info.command_line_options.restart_epoch;
      };
      // as one process takes it over from the other, the socket is nobody's for a moment
      await until('the admin socket is the new process’s', async () => (await epochOf().catch(() => null)) === 1);
      // one connection each, new: the new process accepts them once the old has stopped listening
      await until('a new connection is the new process’s', async () => {
        using fresh = makeClient(listen.port);
        // one that the old process has in its queue as it stops listening is reset: so Envoy does, Lua or not
        assert.match(String(await versionAt(fresh).catch(() => 'one')), /^one$/);
        return Number(await young.stat('http.ingress.downstream_rq_total').catch(() => 0)) > 0;
      });
      push('two');
      await until('the new process has it', async () => {
        using fresh = makeClient(listen.port);
        return (await versionAt(fresh).catch(() => null)) === 'two';
      });
      await until('the old process, which drains, has it too', async () => (await versionAt(kept)) === 'two');
      assert.doesNotMatch(old.logs() + young.logs(), /can't be used/);
      assert.doesNotMatch(old.logs() + young.logs(), /cannot read/);
    });
  });
