import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';
import { config } from './remote-scene.ts';
import { file } from './support.ts';

test('a ref that names a tag of a tree is said, and not that it is gone', async () => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const live = await repository.commit({ [file]: config(2) });
  await repository.git('tag', 'release');
  const settings = { repository: { poll: '200ms', ref: 'release' } };
  await using daemon = await startDaemon({ repository: repository.path, folder: folder.path, settings });
  await daemon.waitForLive(live);
  const waitForProblems = (...codes: string[]): ReturnType<typeof daemon.waitFor> =>
    daemon.waitFor(codes.join(), ({ problems }) => problems.map(({ code }) => code).join() === codes.join());
  for (const kind of ['tag of a tree', 'tree']) {
    await repository.git('tag', '-d', 'release');
    await waitForProblems('ref-deleted');
    await repository.git('tag', ...(kind === 'tree' ? [] : ['-m', 'annotated']), 'release', 'HEAD^{tree}');
    const { problems, live: now } = await waitForProblems('repository');
    assert.match(problems[0]!.message, new RegExp(`^release of \\S+ names a ${kind}, not a commit$`));
    assert.equal(problems[0]!.hint, 'set the ref to a branch, or move it to a commit');
    assert.equal(now!.version, live);
  }
  await repository.git('tag', '-d', 'release');
  await waitForProblems('ref-deleted');
  await repository.git('tag', 'release');
  await waitForProblems();
});
