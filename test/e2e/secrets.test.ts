import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { shardplane, startDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';
import { config } from './remote-scene.ts';
import { file } from './support.ts';

const secret = 'hunter2-hunter2-hunter2';

test('a status host that sends our token back puts it nowhere', async () => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  await repository.commit({ [file]: config(3) });
  await writeFile(join(folder.path, 'token'), `${secret}\n`);
  const host = createServer((request, response) => {
    response.writeHead(401).end(`not valid: ${request.headers.authorization ?? ''}`);
  });
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/repos/acme/config`;
  const settings = { status: { provider: 'github', url, token_file: 'token' } };
  {
    await using daemon = await startDaemon({ repository: repository.path, folder: folder.path, settings });
    const status = await daemon.waitFor('the problem', ({ problems }) =>
      problems.some(({ code }) => code === 'status'),
    );
    assert.match(status.problems.find(({ code }) => code === 'status')!.message, /401: not valid: Bearer \*\*\*/);
    const said = [
      JSON.stringify(daemon.log()),
      (await daemon.run('status')).stdout,
      (await daemon.get('/metrics')).body,
    ];
    assert.ok(said.every((words) => !words.includes(secret)));
  }
  host.close();
  assert.ok(!(await readFile(join(folder.path, 'state/ledger.sqlite'), 'latin1')).includes(secret));
});

test("a remote's URL that can't be used ends the start, with words and without the URL", async () => {
  await using folder = await temporaryFolder();
  const urls = [`ext::sh -c ${secret}`, `https://git.example.com/x.git?private_token=${secret}`];
  for (const url of urls) {
    await writeFile(join(folder.path, 'shardplane.yaml'), stringify({ repository: { remote: { url } } }));
    const args = ['serve', '--xds-port', '0', '--http-port', '0', '--state', join(folder.path, 'state')];
    const { code, stderr } = await shardplane(args, { cwd: folder.path });
    assert.equal(code, 1);
    assert.match(stderr, /error: the remote's URL can't be used: .*\n {2}hint: see repository\.remote\.url/);
    assert.ok(!stderr.includes(secret), stderr);
  }
});
