import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../helpers/until.ts';
import { startRemoteScene, type RemoteScene } from './remote-scene.ts';

const secret = 'hook-s3cret';
/** Nothing but what the test does makes the daemon look. */
const remote = { poll: '1h', jitter: 0 };

/** A scene whose daemon takes GitHub's webhooks, its first commit live. */
async function startHooked(): Promise<RemoteScene> {
  const scene = await startRemoteScene({
    remote,
    files: { 'webhook-github': `${secret}\n` },
    settings: { http: { webhooks: { github: 'webhook-github', gitlab: 'webhook-github' } } },
  });
  await scene.daemon.waitForLive(await scene.work.git('rev-parse', 'HEAD'));
  return scene;
}

interface Call {
  readonly sender?: string;
  readonly body: string;
  readonly headers: Record<string, string>;
}

async function post({ daemon }: RemoteScene, { sender = 'github', body, headers }: Call): Promise<number> {
  const url = `http://127.0.0.1:${daemon.httpPort}/webhooks/${sender}`;
  const response = await fetch(url, { method: 'POST', body, headers, signal: AbortSignal.timeout(10_000) });
  await response.text();
  return response.status;
}

/** As GitHub sends it: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
function signed(body: string, key: string = secret): Call {
  const signature = createHmac('sha256', key).update(body).digest('hex');
  return { body, headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` } };
}

const pushOf = (ref: string): string => JSON.stringify({ ref, commits: [] });

test('a webhook with a right signature fetches at once; a wrong one, and one of another ref, does not', async () => {
  await using scene = await startHooked();
  const { daemon, server } = scene;
  const first = (await daemon.status()).live!.version;
  const sha = await scene.push(2);
  const before = server.requests.length;
  const body = pushOf('refs/heads/main');
  const tampered = { ...signed(body), body: `${body} ` };
  const refused = [signed(body, 'another'), { body, headers: {} }, tampered, { ...signed(body), sender: 'gitlab' }];
  for (const call of refused) assert.equal(await post(scene, call), 401);
  assert.equal(await post(scene, { ...signed(body), sender: 'gitea' }), 404);
  assert.equal(await post(scene, signed(pushOf('refs/heads/other'))), 202);
  assert.equal(await post(scene, signed(pushOf('refs/tags/main'))), 202);
  // a look that these had set off would be over when a command has been answered
  assert.equal((await daemon.run('history')).code, 0);
  assert.equal(server.requests.length, before);
  assert.equal((await daemon.status()).live!.version, first);

  assert.equal(await post(scene, signed(body)), 202);
  await daemon.waitForLive(sha);
  assert.ok(server.requests.length > before);
});

test('a flood of webhooks becomes a few fetches, the last of which sees all', async () => {
  await using scene = await startHooked();
  const { daemon, server } = scene;
  const sha = await scene.push(2);
  const before = server.requests.length;
  const call = signed(pushOf('refs/heads/main'));
  const answers = await Promise.all(Array.from({ length: 100 }, () => post(scene, call)));
  assert.deepEqual([...new Set(answers)], [202]);
  await daemon.waitForLive(sha);
  const later = await scene.push(3);
  assert.equal(await post(scene, call), 202);
  await daemon.waitForLive(later);
  assert.ok(server.requests.length - before < 60, `${server.requests.length - before} requests to the git server`);
});

test('SIGHUP and shardplane sync fetch now', async () => {
  await using scene = await startHooked();
  const { daemon } = scene;
  const second = await scene.push(2);
  await daemon.kill('SIGHUP');
  await daemon.waitForLive(second);
  await daemon.logged(/^SIGHUP: looking at the repository now/);
  const third = await scene.push(3);
  const { code, stdout } = await daemon.run('sync');
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^head {3}${third.slice(0, 12)} .* live$`, 'm'));
  assert.equal((await daemon.status()).live!.version, third);

  scene.server.fault = (request) => request.socket.destroy();
  const failed = await daemon.run('sync');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /Empty reply from server/);
});

test('the secret of a webhook is read anew each time, and shows nowhere', async () => {
  await using scene = await startHooked();
  const { daemon, folder } = scene;
  const file = join(folder, 'webhook-github');
  await writeFile(file, 'next-s3cret\n');
  const body = pushOf('refs/heads/main');
  assert.equal(await post(scene, signed(body)), 401);
  const sha = await scene.push(2);
  assert.equal(await post(scene, signed(body, 'next-s3cret')), 202);
  await daemon.waitForLive(sha);
  await writeFile(file, '');
  assert.equal(await post(scene, signed(body, '')), 503);
  const told = await Promise.all(['/api/v1/status', '/metrics', '/api/v1/history'].map((path) => daemon.get(path)));
  await until('it was logged', () => daemon.log().length > 0);
  assert.doesNotMatch(`${JSON.stringify(daemon.log())}${JSON.stringify(told)}`, /s3cret/);
});
