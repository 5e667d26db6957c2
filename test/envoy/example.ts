import { fileURLToPath } from 'node:url';

import { makeBootstrap } from '../../src/envoy/bootstrap.ts';
import { luaFilters } from '../helpers/envoy.ts';

/** The example that is shipped. */
export const exampleFile = fileURLToPath(new URL('../../envoy/envoy-xds.yaml', import.meta.url));

/** What it holds: the demo's addresses, all 12 backends from the start. */
export function exampleBootstrap(): string {
  const words = [
    '# A bootstrap for a stock Envoy 1.36 to 1.40, with the addresses of the demo (docs/envoy.md). It is what this prints:',
    '#   shardplane bootstrap --xds 127.0.0.1:18000 --listen 127.0.0.1:10000 --admin /tmp/shardplane-envoy-admin.sock \\',
    '#     --endpoints 127.0.0.1:8001,...,127.0.0.1:8012',
  ];
  const bootstrap = makeBootstrap({
    xds: { host: '127.0.0.1', port: 18000 },
    listen: { host: '127.0.0.1', port: 10000 },
    adminSocket: '/tmp/shardplane-envoy-admin.sock',
    endpoints: Array.from({ length: 12 }, (_, i) => ({ host: '127.0.0.1', port: 8001 + i })),
    lua: luaFilters,
  });
  return `${words.join('\n')}\n${bootstrap}`;
}
