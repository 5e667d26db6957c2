import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Releases } from '../../src/daemon/releases.ts';
import { encodeLayer } from '../../src/release/layer.ts';
import { versionOf } from '../helpers/ids.ts';

const config = { totalHosts: 8, defaultShardSize: 2, customers: new Map(), hosts: null, runtime: new Map() };
const kept = { version: versionOf('v1'), subject: '', config };
const layer = { resource: 'shardplane', encoding: 'auto' } as const;

test('what was kept is served byte for byte, and made anew where the resource has another name now', () => {
  const resource = Buffer.concat([encodeLayer(kept, layer), Buffer.alloc(0)]);
  const stored = [{ release: kept, resource, content: '' }];
  assert.equal(new Releases(layer, stored).get(kept.version)?.resource.buffer, resource.buffer);
  const renamed = { ...layer, resource: 'other' };
  assert.deepEqual(new Releases(renamed, stored).get(kept.version)?.resource, encodeLayer(kept, renamed));
});
