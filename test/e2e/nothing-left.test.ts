import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { test } from 'node:test';
import { startDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { versionOf, XdsClient, type WireResponse } from '../xds/client.ts';
import { refusedKey } from './kill-node.ts';
import { config } from './remote-scene.ts';
import { file } from './support.ts';

/** Answers as an Envoy that refuses some of what it gets. */
class Node implements Disposable {
  readonly got: string[] = [];
  readonly #client: XdsClient;

  constructor(address: string, held: string, refuses: (bytes: Buffer) => boolean) {
    this.#client = new XdsClient(address);
    this.#client.stream.on('data', (response: WireResponse) => {
      const version = versionOf(response) ?? '';
      this.got.push(version);
      const isRefused = response.resources?.some(({ value }) => value && refuses(value)) ?? false;
      this.#client.send({
        response_nonce: response.nonce,
        version_info: isRefused ? held : version,
        resource_names: ['runtime'],
        ...(isRefused && { error_detail: { code: 13, message: `Invalid runtime entry value for ${refusedKey}` } }),
      });
    });
    this.#client.send({ node: { id: 'node-1' }, resource_names: ['runtime'], version_info: held });
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

const bad = (count: number): string => `${config(count)}  ${refusedKey}: 1\n`;

test('the newest commits are refused and the state directory is new: the last good one is what Envoys get', async () => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const good = await repository.commit({ [file]: config(1) }, 'good');
  await repository.commit({ [file]: 'not: [valid' }, 'invalid');
  const worse = await repository.commit({ [file]: bad(2) }, 'refused');
  const head = await repository.commit({ [file]: bad(3) }, 'refused too');
  await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
  await daemon.waitForLive(head);
  using node = new Node(`127.0.0.1:${daemon.xdsPort}`, good, (bytes) => bytes.includes(refusedKey));
  const status = await daemon.waitFor('the good one is live', ({ live }) => live?.version === good && live.proven);
  assert.equal(status.head?.version, head);
  assert.equal(status.head.outcome, 'rolled_back');
  assert.deepEqual(node.got, [head, worse, good]);
  // the same after a restart, and nothing refused is pushed again
  await daemon.restart();
  using again = new Node(`127.0.0.1:${daemon.xdsPort}`, good, (bytes) => bytes.includes(refusedKey));
  await until('it is served', () => again.got.length > 0);
  assert.deepEqual(again.got, [good]);
});

test('git has nothing that an Envoy takes: it is healed with an empty layer, and gets the next good commit', async () => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const head = await repository.commit({ [file]: bad(3) }, 'refused');
  await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
  await daemon.waitForLive(head);
  using node = new Node(`127.0.0.1:${daemon.xdsPort}`, '', (bytes) => bytes.includes(refusedKey));
  await until('it is healed', () => node.got.length === 2);
  const good = await repository.commit({ [file]: config(4) }, 'good');
  await daemon.waitForLive(good);
  assert.deepEqual(node.got, [head, 'none', good]);
});

test('git can’t be read while there is nothing to serve: no empty layer, and the last good one once it can', async () => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const good = await repository.commit({ [file]: config(1) }, 'good');
  const head = await repository.commit({ [file]: bad(2) }, 'refused');
  await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
  await daemon.waitForLive(head);
  const objects = `${repository.path}/.git/objects`;
  await rename(objects, `${objects}.away`);
  using node = new Node(`127.0.0.1:${daemon.xdsPort}`, good, (bytes) => bytes.includes(refusedKey));
  await daemon.logged(/^the history can't be searched for a release to fall back to/);
  await rename(`${objects}.away`, objects);
  await daemon.waitFor('the good one is live', ({ live }) => live?.version === good && live.proven);
  assert.deepEqual(node.got, [head, good]);
});
