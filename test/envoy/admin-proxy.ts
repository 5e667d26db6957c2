import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from '../helpers/git.ts';
import type { Envoy } from '../helpers/envoy.ts';
import type { Bootstrap } from './support.ts';

/** What the proxy does with a call: passes it on, fails in one of the ways in which an admin can fail, or holds it until release(). */
export type Behaviour = 'pass' | 'error' | 'cut' | 'garbage' | 'truncated' | 'hold';

/** Stands between an Envoy's bridge and its admin: counts the calls, and breaks when told to. */
export interface AdminProxy extends AsyncDisposable {
  /** The paths that the bridge asked for, without their queries. */
  readonly calls: string[];
  behaviour: Behaviour;
  /** Only calls of this path misbehave; null: all of them. */
  only: string | null;
  /** Passes on what it holds. */
  release(): void;
  /** For `startFilters({edit})`: points the cluster `envoy_admin` at the proxy. */
  edit(bootstrap: Bootstrap): void;
  /** Tells where to pass calls to. */
  attach(envoy: Envoy): void;
}

export async function startAdminProxy(): Promise<AdminProxy> {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'proxy.sock');
  let target: string | null = null;
  const held: (() => void)[] = [];
  const server = createServer((incoming, outgoing) => {
    const asked = (incoming.url ?? '').split('?')[0] ?? '';
    proxy.calls.push(asked);
    const behaviour = behaviourFor(proxy, asked);
    if (behaviour === 'hold') held.push(() => pass({ target, behaviour, incoming, outgoing }));
    else answer({ target, behaviour, incoming, outgoing });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const proxy: AdminProxy = {
    calls: [],
    behaviour: 'pass',
    only: null,
    release: () => held.splice(0).forEach((act) => act()),
    edit: (bootstrap) => {
      const cluster = bootstrap.static_resources.clusters.find(({ name }) => name === 'envoy_admin')!;
      const endpoint = { address: { pipe: { path } } };
      Object.assign(cluster, {
        load_assignment: { cluster_name: 'envoy_admin', endpoints: [{ lb_endpoints: [{ endpoint }] }] },
      });
    },
    attach: (envoy) => (target = envoy.adminSocket),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(path, { force: true });
      await folder[Symbol.asyncDispose]();
    },
  };
  return proxy;
}

function behaviourFor(proxy: AdminProxy, path: string): Behaviour {
  return proxy.only === null || proxy.only === path ? proxy.behaviour : 'pass';
}

interface Call {
  readonly target: string | null;
  readonly behaviour: Behaviour;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

function answer({ target, behaviour, incoming, outgoing }: Call): void {
  switch (behaviour) {
    case 'error':
      outgoing.writeHead(500).end('no');
      return;
    case 'cut':
      outgoing.destroy();
      return;
    case 'garbage':
      outgoing.end('{"entries": {"shuffle_sharding.total_hosts": {"final_value": "3", "layer_va');
      return;
    case 'hold':
    case 'pass':
    case 'truncated':
      pass({ target, behaviour, incoming, outgoing });
  }
}

function pass({ target, behaviour, incoming, outgoing }: Call): void {
  if (target === null) throw new Error('attach() comes before the first request');
  const call = request(
    { socketPath: target, path: incoming.url, method: incoming.method, agent: false },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        const end = behaviour === 'truncated' ? Math.floor(body.length / 2) : body.length;
        outgoing.writeHead(response.statusCode ?? 500).end(body.subarray(0, end));
      });
    },
  );
  call.on('error', () => outgoing.destroy());
  call.end();
}
