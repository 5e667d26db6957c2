import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startBackends } from '../helpers/backend.ts';
import { envoyVersions, skipWithout } from '../helpers/envoy.ts';
import { makeClient, startFilters } from './support.ts';

for (const version of envoyVersions) {
  describe(`Envoy ${version}`, { skip: skipWithout(version) }, () => {
    test('a retry ignores setUpstreamOverrideHost, strict or not: why the filter leaves a list instead', async () => {
      await using backends = await startBackends(3);
      const [gone] = backends;
      await gone!.stop();
      const source = `function envoy_on_request(handle) handle:setUpstreamOverrideHost("${gone!.address}", true) end`;
      await using envoy = await startFilters({
        version,
        runtime: {},
        endpoints: backends.map(({ address }) => address),
        lua: { shardplane: source },
        edit: ({ static_resources: { clusters } }) => {
          const backend = clusters.find(({ name }) => name === 'backends');
          Reflect.deleteProperty(backend!, 'load_balancing_policy');
        },
      });
      using client = makeClient(await envoy.port());
      let elsewhere = 0;
      for (let i = 0; i < 40; i++) if ((await client.as('a', `/${i}`)).status === 200) elsewhere += 1;
      assert.ok(elsewhere > 0, 'no retry left the host that was set: then the filter could set it');
      assert.ok(backends.slice(1).some(({ seen }) => seen.length > 0));
    });
  });
}
