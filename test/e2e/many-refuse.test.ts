import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadNode } from '../../scripts/bench/load/node.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';
import { config } from './remote-scene.ts';
import { file } from './support.ts';

test('however many refuse, the log has five lines of a release, and the status has all', async (t) => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const version = await repository.commit({ [file]: config(1) });
  await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
  const nodes = new Set<LoadNode>();
  t.after(() => nodes.forEach((node) => node.close()));
  const connect = (id: string, answer: 'ack' | { refusal: string }) =>
    nodes.add(new LoadNode({ id, port: daemon.xdsPort, onResponse: () => answer, onClose: () => undefined }));
  connect('good', 'ack');
  await daemon.waitFor('it is proven', ({ live }) => live?.version === version && live.proven);
  for (let at = 0; at < 20; at += 1) connect(`bad-${String(at)}`, { refusal: 'garbage' });
  await daemon.waitFor('all refuse', ({ counts }) => counts.refusing === 20);
  assert.equal(daemon.log().filter(({ msg }) => / refuses /.test(msg)).length, 5);
});
