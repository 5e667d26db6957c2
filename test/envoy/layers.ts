import type { Json } from '../../src/config/config.ts';
import type { LuaSource } from '../../src/envoy/listener.ts';
import { rtdsLayers, xdsCluster } from '../../src/envoy/xds.ts';
import type { Envoy } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { release, startServer } from '../xds/support.ts';
import { answerDirectly, makeClient, startFilters, withSettings, type Client, type FilterSetup } from './support.ts';

/** An Envoy whose runtime layer is pushed by a server of the test. It looks for changes at each request. */
export interface Layered extends AsyncDisposable {
  readonly envoy: Envoy;
  readonly client: Client;
  /** Pushes a layer, and waits for the ACK: the next request has it. */
  push(fields: Fields): Promise<void>;
}

export type Fields = Readonly<Record<string, Json>>;

export interface LayeredSetup extends Omit<FilterSetup, 'runtime' | 'lua'> {
  readonly lua: LuaSource;
  /** Of the client. */
  readonly connections?: number;
}

export async function startLayered({
  lua,
  edit = answerDirectly,
  connections = 8,
  ...setup
}: LayeredSetup): Promise<Layered> {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const xds = { host: '127.0.0.1', port: test.port };
  const envoy = stack.use(
    await startFilters({
      ...setup,
      runtime: {},
      lua: withSettings(lua, { refresh_ms: 0 }),
      edit: (bootstrap) => {
        bootstrap.layered_runtime.layers = [...rtdsLayers({ xds }), { name: 'admin', admin_layer: {} }];
        const { clusters } = bootstrap.static_resources;
        clusters.splice(
          clusters.findIndex(({ name }) => name === 'xds'),
          1,
          xdsCluster({ xds }),
        );
        edit(bootstrap);
      },
    }),
  );
  const client = stack.use(makeClient(await envoy.port(), connections));
  let pushes = 0;
  const push: Layered['push'] = async (fields) => {
    const acked = test.count('acked');
    test.server.offer(release(`push-${(pushes += 1)}`, fields));
    await until('the ACK', () => test.count('acked') > acked);
  };
  await until('the subscription', () => test.count('acked') > 0);
  const owned = stack.move();
  return { envoy, client, push, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The keys of a view, `next` for the next one. */
export function viewFields(values: Readonly<Record<string, Json>>, next: '' | 'next.' = ''): Fields {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`shuffle_sharding.${next}${key}`, value]));
}
