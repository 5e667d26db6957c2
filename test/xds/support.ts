import type { Json } from '../../src/config/config.ts';
import { encodeRuntime } from '../../src/release/encode.ts';
import { versionOf } from '../helpers/ids.ts';
import { encodedRuntime, type EncodedRelease } from '../../src/xds/push.ts';
import { XdsServer, type XdsServerOptions } from '../../src/xds/xds-server.ts';
import type { Session } from '../../src/xds/session.ts';
import type { StreamAction } from '../../src/xds/stream/types.ts';

export const settings: XdsServerOptions['settings'] = {
  address: '127.0.0.1',
  port: 0,
  resource: 'runtime',
  keepaliveMs: 20_000,
  maxStreams: 10_000,
  maxStreamsPerClient: 10_000,
  maxConnectionAgeMs: 86_400_000,
  tls: null,
};

/** A release called `version` that holds `fields`. */
export function release(version: string, fields: Record<string, Json> = {}, name = 'runtime'): EncodedRelease {
  return encodedRuntime(versionOf(version), name, encodeRuntime(new Map(Object.entries(fields)), name));
}

/** A listening server that remembers what its streams did. */
export interface TestServer extends AsyncDisposable {
  readonly server: XdsServer;
  readonly port: number;
  readonly address: string;
  readonly actions: { readonly session: Session; readonly action: StreamAction }[];
  /** How many actions of this type there were, of this node or of all. */
  count(type: StreamAction['type'], node?: string): number;
}

/** Starts a server on a free port of 127.0.0.1: `await using server = await startServer()`. */
export async function startServer(options: Partial<XdsServerOptions> = {}): Promise<TestServer> {
  const actions: TestServer['actions'] = [];
  const server = new XdsServer({
    settings,
    onAction: (session, action) => void actions.push({ session, action }),
    ...options,
  });
  const port = await server.listen();
  server.setHealth(true);
  return {
    server,
    port,
    address: `127.0.0.1:${port}`,
    actions,
    count: (type, node) =>
      actions.filter(({ session, action }) => action.type === type && (node === undefined || session.node?.id === node))
        .length,
    [Symbol.asyncDispose]: () => server.drain(0),
  };
}
