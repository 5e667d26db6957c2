import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { GitError, type GitErrorCode } from '../../../src/git/exec/git-error.ts';
import { Mirror } from '../../../src/git/mirror/mirror.ts';
import { openRepository } from '../../../src/git/read/repository.ts';
import { newestRevision } from '../../../src/git/read/revisions.ts';
import { Secrets } from '../../../src/secrets.ts';
import { toTransport, type Remote } from '../../../src/git/mirror/transport.ts';
import { git, gitEnv, importCommits, makeRepository, temporaryFolder, type TestRepository } from '../../helpers/git.ts';
import { serveGit, type GitServer } from '../../helpers/git-http.ts';
import { gitProcessesOf, readProcesses } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';
import { remoteAt } from '../../helpers/remote.ts';

const file = 'shard-config.yaml';
const onLinux = { skip: process.platform !== 'linux' && 'reads /proc' };

interface Scene extends AsyncDisposable {
  readonly repository: TestRepository;
  readonly server: GitServer;
  /** URL of the repository on the server. */
  readonly url: string;
  readonly directory: string;
  mirror(options?: Partial<Remote>, maxFetchBytes?: number): Promise<Mirror>;
}

/** A repository with one commit, served over http, and a place for a mirror. */
async function makeScene(): Promise<Scene> {
  const folder = await temporaryFolder();
  const repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  const server = await serveGit(repository.path);
  const directory = join(folder.path, 'mirror.git');
  const url = `${server.origin}/.git`;
  const mirror = async (options: Partial<Remote> = {}, maxFetchBytes?: number): Promise<Mirror> => {
    const made = new Mirror({ directory, remote: remoteAt(url, options), maxFetchBytes });
    await made.prepare();
    return made;
  };
  const dispose = async (): Promise<void> => {
    await server[Symbol.asyncDispose]();
    await repository[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  return { repository, server, url, directory, mirror, [Symbol.asyncDispose]: dispose };
}

async function tipOf(mirror: Mirror): Promise<string | null> {
  return await git(mirror.path, ['rev-parse', '--verify', '--quiet', mirror.ref]).catch(() => null);
}

async function failure(work: Promise<unknown>): Promise<GitError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof GitError, String(error));
  return error;
}

async function failureCode(work: Promise<unknown>): Promise<GitErrorCode> {
  return (await failure(work)).code;
}

test('follows a branch over http: forward, back, to another history, away, and back again', async () => {
  await using scene = await makeScene();
  const { repository } = scene;
  const mirror = await scene.mirror();
  const head = (): Promise<string> => repository.git('rev-parse', 'HEAD');
  await mirror.fetch();
  assert.equal(await tipOf(mirror), await head());
  const second = await repository.commit({ [file]: 'two' });
  await mirror.fetch();
  assert.equal(await tipOf(mirror), second);
  await repository.git('reset', '--quiet', '--hard', 'HEAD~1');
  await mirror.fetch();
  assert.equal(await tipOf(mirror), await head());
  await repository.git('checkout', '--quiet', '--orphan', 'other');
  await repository.commit({ [file]: 'unrelated' });
  await repository.git('branch', '--force', 'main', 'other');
  await mirror.fetch();
  assert.equal(await tipOf(mirror), await head());
  await repository.git('branch', '--quiet', '-D', 'main');
  await mirror.fetch();
  assert.equal(await tipOf(mirror), null);
  await repository.git('branch', 'main');
  await mirror.fetch();
  assert.equal(await tipOf(mirror), await head());
  assert.deepEqual((await readdir(mirror.path)).includes('shardplane-fetching'), false);
});

test('only the one ref comes: no tags, no other branches; a tag of the same name is not mistaken', async () => {
  await using scene = await makeScene();
  await scene.repository.git('tag', 'main');
  const tip = await scene.repository.commit({ [file]: 'two' });
  await scene.repository.git('tag', 'v1');
  await scene.repository.git('update-ref', 'refs/heads/other', tip);
  const mirror = await scene.mirror();
  await mirror.fetch();
  assert.equal(await git(mirror.path, ['for-each-ref', '--format=%(refname) %(objectname)']), `refs/heads/main ${tip}`);
});

test("an empty repository, and the remote's HEAD", async () => {
  await using folder = await temporaryFolder();
  await using repository = await makeRepository();
  const remote = remoteAt(`file://${repository.path}`, { ref: 'HEAD' });
  const mirror = new Mirror({ directory: join(folder.path, 'm'), remote });
  assert.deepEqual(await mirror.prepare(), { made: 'new' });
  await mirror.fetch();
  assert.equal(await mirror.isFilled(), false);
  const first = await repository.commit({ [file]: 'one' });
  await mirror.fetch();
  assert.equal(await mirror.isFilled(), true);
  assert.equal(await tipOf(mirror), first);
});

test('a SHA-256 remote, a remote that is shallow, a plain path', async () => {
  await using folder = await temporaryFolder();
  await using newer = await makeRepository({ objectFormat: 'sha256' });
  const tip = await newer.commit({ [file]: 'one' });
  const mirror = new Mirror({ directory: join(folder.path, 'm'), remote: remoteAt(newer.path) });
  await mirror.prepare();
  await mirror.fetch();
  assert.equal(await tipOf(mirror), tip);
  assert.deepEqual(await mirror.prepare(), { made: 'nothing' });
  await mirror.fetch();

  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  const last = await repository.commit({ [file]: 'two' });
  await git(folder.path, ['clone', '--quiet', '--depth=1', `file://${repository.path}`, 'shallow']);
  const other = new Mirror({ directory: join(folder.path, 'n'), remote: remoteAt(join(folder.path, 'shallow')) });
  await other.prepare();
  await other.fetch();
  const opened = await openRepository(other.path);
  assert.equal((await newestRevision(opened, { tip: last, file }))?.version, last);
});

test('a ref whose name is in the way of the one followed before', async () => {
  await using scene = await makeScene();
  await (await scene.mirror()).fetch();
  await scene.repository.git('checkout', '--quiet', '-b', 'moved');
  await scene.repository.git('branch', '--quiet', '-D', 'main');
  await scene.repository.git('branch', '--quiet', 'main/sub');
  const mirror = await scene.mirror({ ref: 'main/sub' });
  await mirror.fetch();
  assert.equal(await tipOf(mirror), await scene.repository.git('rev-parse', 'HEAD'));
});

test('a password in the URL gets there, and nowhere else', onLinux, async () => {
  await using scene = await makeScene();
  const password = `p@ss/w:rd ${randomBytes(6).toString('hex')}'$(x)`;
  scene.server.login = `us er:${password}`;
  const withLogin = (secret: string): string => scene.url.replace('://', `://us%20er:${encodeURIComponent(secret)}@`);
  const mirror = await scene.mirror({ url: withLogin(password) });
  const seen: string[] = [];
  scene.server.onRequest = () => {
    for (const name of execFileSync('ls', ['/proc'], { encoding: 'utf8' })
      .split('\n')
      .filter((each) => /^\d+$/.test(each))) {
      try {
        seen.push(
          execFileSync('cat', [`/proc/${name}/cmdline`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
        );
      } catch {
        // it ended meanwhile
      }
    }
  };
  await mirror.fetch();
  assert.equal(await mirror.isFilled(), true);
  assert.ok(
    seen.some((line) => line.includes('remote-http')),
    'the transport was looked at',
  );
  const forms = [password, encodeURIComponent(password)];
  assert.deepEqual(
    seen.filter((line) => forms.some((form) => line.includes(form))),
    [],
  );
  for (const name of await readdir(mirror.path, { recursive: true })) {
    const content = await readFile(join(mirror.path, name), 'latin1').catch(() => '');
    assert.ok(!forms.some((form) => content.includes(form)), name);
  }
  scene.server.onRequest = null;
  const wrong = `${password}-wrong`;
  const error = await failure((await scene.mirror({ url: withLogin(wrong) })).fetch());
  assert.equal(error.code, 'remote-denied');
  for (const form of [wrong, encodeURIComponent(wrong)])
    assert.ok(!`${error.message}${error.stack ?? ''}`.includes(form));
});

test('what a server says back is shown without the secret', async () => {
  await using scene = await makeScene();
  const secret = 'hunter2/hunter2';
  const words = `you sent ${secret}, ${encodeURIComponent(secret)}, ${Buffer.from(`me:${secret}`).toString('base64')}`;
  scene.server.fault = (_request, response) => {
    const line = `ERR ${words}`;
    const packet = (line.length + 4).toString(16).padStart(4, '0') + line;
    response.setHeader('content-type', 'application/x-git-upload-pack-advertisement');
    response.end(`001e# service=git-upload-pack\n0000${packet}`);
  };
  const mirror = await scene.mirror({ url: scene.url.replace('://', `://me:${encodeURIComponent(secret)}@`) });
  const error = await failure(mirror.fetch());
  assert.match(error.message, /you sent \*\*\*, \*\*\*, \*\*\*/);
});

test('a credentials file is read anew each time, is never changed, and its absence is said', async () => {
  await using scene = await makeScene();
  scene.server.login = 'robot:t0ken with space';
  const credentialsFile = join(scene.directory, '..', "creden'tials");
  const line = (password: string): string =>
    `${scene.server.origin.replace('://', `://robot:${encodeURIComponent(password)}@`)}\n`;
  const mirror = await scene.mirror({ credentialsFile });
  assert.equal(await failureCode(mirror.fetch()), 'bad-setting');
  await writeFile(credentialsFile, line('wrong-password'));
  const error = await failure(mirror.fetch());
  assert.equal(error.code, 'remote-denied');
  assert.ok(!error.message.includes('wrong-password'));
  assert.equal(await readFile(credentialsFile, 'utf8'), line('wrong-password'));
  await writeFile(credentialsFile, line('t0ken with space'));
  await mirror.fetch();
  assert.equal(await mirror.isFilled(), true);
  assert.equal(await readFile(credentialsFile, 'utf8'), line('t0ken with space'));
});

test("the user's own credential helper is asked only when the settings say so; nobody is prompted", async () => {
  await using scene = await makeScene();
  scene.server.login = 'helped:by-helper';
  const config = join(scene.directory, '..', 'gitconfig');
  await writeFile(config, '[credential]\n\thelper = "!f() { echo username=helped; echo password=by-helper; }; f"\n');
  const before = process.env['GIT_CONFIG_GLOBAL'];
  process.env['GIT_CONFIG_GLOBAL'] = config;
  try {
    assert.equal(await failureCode((await scene.mirror()).fetch()), 'remote-denied');
    await (await scene.mirror({ credentialHelper: true })).fetch();
  } finally {
    if (before === undefined) delete process.env['GIT_CONFIG_GLOBAL'];
    else process.env['GIT_CONFIG_GLOBAL'] = before;
  }
});

test('a server that hangs is cut off at the time limit, and no process is left', onLinux, async () => {
  await using scene = await makeScene();
  scene.server.fault = () => undefined;
  const mirror = await scene.mirror({ timeoutMs: 1000 });
  const running = failureCode(mirror.fetch());
  await until('git at work', async () => (await gitProcessesOf(mirror.path)).length > 0);
  assert.equal(await running, 'git-timeout');
  await until('no git at work', async () => (await gitProcessesOf(mirror.path)).length === 0);
  scene.server.fault = null;
  const patient = await scene.mirror();
  await patient.fetch();
  assert.equal(await patient.isFilled(), true);
});

test('a hanging ssh server likewise', onLinux, async () => {
  await using folder = await temporaryFolder();
  const silent = createTcpServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  try {
    const remote = remoteAt(`ssh://git@127.0.0.1:${port}/x.git`, { timeoutMs: 1000 });
    const mirror = new Mirror({ directory: join(folder.path, 'm'), remote });
    await mirror.prepare();
    const running = failureCode(mirror.fetch());
    await until('ssh at work', async () =>
      [...(await readProcesses('cmdline')).values()].some(
        (line) => line.startsWith('ssh\0') && line.includes(String(port)),
      ),
    );
    assert.match(await running, /^(git-timeout|remote-unreachable|remote-garbage)$/);
    await until('no ssh at work', async () => (await gitProcessesOf(mirror.path)).length === 0);
  } finally {
    silent.close();
  }
});

test('what a server can answer instead of git, and what it is called; the mirror stays as it was', async () => {
  await using scene = await makeScene();
  const mirror = await scene.mirror();
  await mirror.fetch();
  const tip = await tipOf(mirror);
  await scene.repository.commit({ [file]: 'two' });
  const answer =
    (status: number, type: string, body: string | Buffer) =>
    (_request: IncomingMessage, response: ServerResponse): void =>
      void response.writeHead(status, { 'content-type': type }).end(body);
  const advertisement = 'application/x-git-upload-pack-advertisement';
  const table: [fault: (request: IncomingMessage, response: ServerResponse) => void, code: RegExp][] = [
    [answer(200, 'text/html', '<html>log in please</html>'), /^remote-garbage$/],
    [answer(200, advertisement, 'garbage'), /^remote-garbage$/],
    [answer(200, advertisement, randomBytes(100_000)), /^remote-garbage$/],
    [answer(200, advertisement, ''), /^remote-garbage$/],
    [
      answer(200, advertisement, `001e# service=git-upload-pack\n0000003f${'g'.repeat(40)} refs/heads/main\n0000`),
      /^remote-garbage$/,
    ],
    [answer(404, 'text/plain', 'no'), /^remote-not-found$/],
    [answer(401, 'text/plain', 'no'), /^remote-denied$/],
    [answer(403, 'text/plain', 'no'), /^remote-denied$/],
    [answer(429, 'text/plain', 'no'), /^remote-unreachable$/],
    [answer(503, 'text/plain', 'no'), /^remote-unreachable$/],
    [(request) => void request.socket.destroy(), /^remote-(unreachable|garbage)$/],
  ];
  for (const [fault, code] of table) {
    scene.server.fault = fault;
    const error = await failure(mirror.fetch());

    assert.match(error.code, code, error.message);
    assert.ok(error.hint !== null && error.message.startsWith(scene.url));
    assert.equal(await tipOf(mirror), tip);
  }
  scene.server.fault = null;
  await mirror.fetch();
  assert.equal(await tipOf(mirror), await scene.repository.git('rev-parse', 'HEAD'));
});

test('a pack that breaks off, or is scrambled, leaves the mirror as it was', async () => {
  await using scene = await makeScene();
  const mirror = await scene.mirror();
  await mirror.fetch();
  const tip = await tipOf(mirror);
  await scene.repository.commit({ [file]: randomBytes(2_000_000) });
  for (const spoil of ['cut', 'scramble']) {
    await using proxy = await spoilingProxy(scene.server.port, spoil === 'cut');
    const through = await scene.mirror({ url: `http://127.0.0.1:${proxy.port}/.git` });
    assert.match(await failureCode(through.fetch()), /^remote-(garbage|unreachable)$/, spoil);
    assert.equal(await tipOf(mirror), tip);
  }
  assert.deepEqual(await mirror.prepare(), { made: 'nothing' });
  await mirror.fetch();
  assert.notEqual(await tipOf(mirror), tip);
});

/** Passes everything on, but of the first 1.5 MB of an answer only a part, or with bits turned over. */
async function spoilingProxy(port: number, cut: boolean): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const init = {
        method: request.method ?? 'GET',
        headers: {
          'content-type': request.headers['content-type'] ?? '',
          'git-protocol': String(request.headers['git-protocol'] ?? ''),
        },
      };
      const answer = await fetch(
        `http://127.0.0.1:${port}${request.url ?? ''}`,
        chunks.length > 0 ? { ...init, body: Buffer.concat(chunks) } : init,
      );
      const body = Buffer.from(await answer.arrayBuffer());
      response.setHeader('content-type', answer.headers.get('content-type') ?? '');
      if (body.length < 1_500_000) return void response.end(body);
      if (!cut) body.fill(0x5a, 1_000_000, 1_000_100);
      if (!cut) return void response.end(body);
      response.write(body.subarray(0, 1_000_000), () => request.socket.destroy());
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dispose = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: dispose };
}

test('a fetch that brings too much is ended', async () => {
  await using scene = await makeScene();
  await scene.repository.commit({ [file]: randomBytes(20_000_000) });
  scene.server.bytesPerSecond = 4_000_000;
  const mirror = await scene.mirror({}, 1_000_000);
  assert.equal(await failureCode(mirror.fetch()), 'remote-too-large');
  assert.equal((await readdir(join(mirror.path, 'objects/pack'))).length, 0);
});

test(
  'kill -9 of the daemon in the middle of a fetch: its git is ended, the mirror verified, and all is well',
  onLinux,
  async () => {
    await using scene = await makeScene();
    const before = await scene.mirror();
    await before.fetch();
    await importCommits(scene.repository.path, { file, contents: ['two', randomBytes(3_000_000).toString('hex')] });
    scene.server.bytesPerSecond = 200_000;
    const code = `
    const { Mirror } = await import(${JSON.stringify(new URL('../../../src/git/mirror/mirror.ts', import.meta.url).href)});
    const mirror = new Mirror(${JSON.stringify({ directory: scene.directory, remote: remoteAt(scene.url) })});
    await mirror.prepare();
    await mirror.fetch();`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'inherit' });
    const half = async (): Promise<boolean> =>
      (await readdir(join(scene.directory, 'objects/pack'))).some((name) => name.startsWith('tmp_'));
    await until('half a pack', half, 30_000);
    child.kill('SIGKILL');
    await writeFile(join(scene.directory, 'refs/heads/main.lock'), '');
    await writeFile(join(scene.directory, 'packed-refs.lock'), '');
    assert.notDeepEqual(await gitProcessesOf(scene.directory), []);
    scene.server.bytesPerSecond = 0;
    const mirror = new Mirror({ directory: scene.directory, remote: remoteAt(scene.url) });
    assert.deepEqual(await mirror.prepare(), { made: 'nothing' });
    await until('no git of the old daemon', async () => (await gitProcessesOf(scene.directory)).length === 0);
    assert.equal(await half(), false);
    await mirror.fetch();
    assert.equal(await tipOf(mirror), await scene.repository.git('rev-parse', 'main'));
  },
);

test('a mirror that is damaged is made anew, and its config is never trusted', async () => {
  await using scene = await makeScene();
  const mirror = await scene.mirror();
  await mirror.fetch();
  await writeFile(
    join(mirror.path, 'config'),
    '[core]\n\tbare = true\n\trepositoryformatversion = 0\n\tsshCommand = touch /tmp/never\n',
  );
  assert.deepEqual(await mirror.prepare(), { made: 'nothing' });
  assert.doesNotMatch(await readFile(join(mirror.path, 'config'), 'utf8'), /never/);
  const tip = (await tipOf(mirror))!;
  await removePacks(mirror);
  await writeFile(join(mirror.path, 'shardplane-fetching'), '');
  const done = await mirror.prepare();
  assert.equal(done.made, 'anew');
  await mirror.fetch();
  assert.equal(await tipOf(mirror), tip);

  const [pack = ''] = (await readdir(join(mirror.path, 'objects/pack'))).filter((name) => name.endsWith('.pack'));
  const path = join(mirror.path, 'objects/pack', pack);
  await chmod(path, 0o644);
  await writeFile(path, (await readFile(path)).fill(0x5a, 30, 60));
  assert.deepEqual(await mirror.prepare(), { made: 'nothing' });
  assert.equal((await mirror.prepare({ suspect: true })).made, 'anew');
  await writeFile(join(mirror.path, 'HEAD'), 'scrambled');
  assert.equal((await mirror.prepare()).made, 'anew');
});

async function removePacks(mirror: Mirror): Promise<void> {
  await rm(join(mirror.path, 'objects/pack'), { recursive: true });
}

test('many packs become one', async () => {
  await using scene = await makeScene();
  const mirror = await scene.mirror({ url: scene.repository.path });
  for (let at = 0; at < 53; at++) {
    await importCommits(scene.repository.path, { file, contents: [`content ${at}`] });
    await mirror.fetch();
  }
  const packs = (await readdir(join(mirror.path, 'objects/pack'))).filter((name) => name.endsWith('.pack'));
  assert.ok(packs.length < 10, `${packs.length} packs`);
  assert.equal(await tipOf(mirror), await scene.repository.git('rev-parse', 'main'));
});

test('a state directory that cannot be written is said', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'taken'), '');
  const mirror = new Mirror({ directory: join(folder.path, 'taken/mirror.git'), remote: remoteAt('/nowhere') });
  assert.equal(await failureCode(mirror.prepare()), 'mirror-unwritable');
});

test('transports that run programs never do', async () => {
  await using folder = await temporaryFolder();
  const canary = join(folder.path, 'canary');
  for (const url of [`ext::sh -c touch%20${canary}`, `ext::touch${canary}`, `--upload-pack=touch ${canary}`]) {
    const made = (): Mirror => new Mirror({ directory: join(folder.path, 'm'), remote: remoteAt(url) });
    assert.throws(made, { code: 'bad-url' });
  }
  // the same by a detour that the settings can't see: an operator's url.*.insteadOf
  const config = join(folder.path, 'gitconfig');
  await writeFile(
    config,
    `[url "ext::touch ${canary} #"]\n\tinsteadOf = https://example.invalid/\n[protocol "ext"]\n\tallow = always\n`,
  );
  const plain = promisify(execFile)('git', ['ls-remote', 'https://example.invalid/x'], {
    env: gitEnv({ GIT_CONFIG_GLOBAL: config }),
    cwd: folder.path,
  });
  await plain.catch(() => undefined);
  await access(canary); // the detour works with a git that is not guarded
  await rm(canary);
  process.env['GIT_CONFIG_GLOBAL'] = config;
  try {
    const mirror = new Mirror({ directory: join(folder.path, 'm'), remote: remoteAt('https://example.invalid/x') });
    await mirror.prepare();
    await failure(mirror.fetch());
  } finally {
    delete process.env['GIT_CONFIG_GLOBAL'];
  }
  await assert.rejects(access(canary));
});

test('a proxy and a CA by setting', async () => {
  await using scene = await makeScene();
  const seen: string[] = [];
  const proxy = createServer((request, response) => {
    seen.push(request.headers['proxy-authorization'] ?? request.url ?? '');
    response.writeHead(502).end();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  const error = await failure(
    (
      await scene.mirror({ url: 'http://example.invalid/x.git', proxy: `http://me:proxy-secret@127.0.0.1:${port}` })
    ).fetch(),
  );
  proxy.close();
  assert.ok(seen.length > 0);
  assert.ok(!error.message.includes('proxy-secret'));
  const folder = join(scene.directory, '..');
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '2',
      '-subj',
      '/CN=127.0.0.1',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
    ],
    { stdio: 'ignore' },
  );
  await using server = await serveGit(scene.repository.path, {
    key: await readFile(key, 'utf8'),
    cert: await readFile(cert, 'utf8'),
  });
  assert.equal(await failureCode((await scene.mirror({ url: `${server.origin}/.git` })).fetch()), 'remote-unreachable');
  await (await scene.mirror({ url: `${server.origin}/.git`, ca: cert })).fetch();
});

test('ssh asks nothing, checks the host key, and takes key and known hosts from the settings', async () => {
  await using folder = await temporaryFolder();
  const [sshKey, sshKnownHosts] = [join(folder.path, "a b'c"), join(folder.path, 'known hosts')];
  await writeFile(sshKnownHosts, '');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', sshKey]);
  const remote = remoteAt('git@example.invalid:x', { sshKey, sshKnownHosts });
  const command = (await toTransport(remote, new Secrets())).run.env?.['GIT_SSH_COMMAND'] ?? '';
  const said = execFileSync('sh', ['-c', `${command} -G example.invalid`], { encoding: 'utf8', stdio: 'pipe' });
  for (const line of [
    'batchmode yes',
    'stricthostkeychecking true',
    'identitiesonly yes',
    `identityfile ${sshKey}`,
    `userknownhostsfile "${sshKnownHosts}"`,
    'forwardagent no',
    'controlmaster false',
  ]) {
    assert.match(
      said.replaceAll(`userknownhostsfile ${sshKnownHosts}`, `userknownhostsfile "${sshKnownHosts}"`),
      new RegExp(`^${line}$`, 'm'),
      said,
    );
  }
  const strange = join(folder.path, '%d');
  await copyFile(sshKey, strange);
  await assert.rejects(
    toTransport(remoteAt('git@example.invalid:x', { sshKey: strange }), new Secrets()),
    /ssh can't take the path/,
  );
});

test('an ssh key or known hosts that ssh could not use are named', async () => {
  await using folder = await temporaryFolder();
  const place = (name: string): string => join(folder.path, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a passphrase', '-f', place('encrypted')]);
  execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-m', 'PEM', '-N', 'a passphrase', '-f', place('pem')]);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', place('open')]);
  await chmod(place('open'), 0o644);
  const table: [Partial<Remote>, RegExp][] = [
    [{ sshKnownHosts: place('nowhere') }, /^the known hosts file \S+nowhere is not there$/],
    [{ sshKey: place('nowhere') }, /the ssh key file \S+nowhere is not there$/],
    [{ sshKey: place('encrypted') }, /the ssh key \S+encrypted is encrypted, /],
    [{ sshKey: place('pem') }, /the ssh key \S+pem is encrypted, /],
    [{ sshKey: place('open') }, /the ssh key \S+open can be read by others, /],
  ];
  for (const [options, words] of table) {
    const mirror = new Mirror({ directory: place('m'), remote: remoteAt('git@example.invalid:x', options) });
    await mirror.prepare();
    const error = await failure(mirror.fetch());
    assert.deepEqual([error.code, words.test(error.message)], ['bad-setting', true], error.message);
  }
});

/** A commit as an old tool might have written it, with a good one on top; both on `main`. */
async function makeOldHistory(
  repository: TestRepository,
  old: string,
  treeMode = '100644',
): Promise<{ old: string; tip: string }> {
  const blob = await repository.git('rev-parse', `HEAD:${file}`);
  const bytes = Buffer.concat([Buffer.from(`${treeMode} ${file}\0`), Buffer.from(blob, 'hex')]);
  const write = async (type: string, content: Buffer | string): Promise<string> => {
    const path = join(repository.path, '.git/object');
    await writeFile(path, content);
    return await repository.git('hash-object', '-t', type, '-w', '--literally', path);
  };
  const tree = await write('tree', bytes);
  const commit = await write('commit', `tree ${tree}\n${old}\n\nold\n`);
  await repository.git('reset', '--quiet', '--hard', commit);
  return { old: commit, tip: await repository.commit({ 'README.md': 'on top' }) };
}

test('what old tools have left in a history does not keep it from being followed', async () => {
  const who = (author: string): string => `author ${author}\ncommitter A <a@b> 1700000000 +0000`;
  const histories: [string, string?][] = [
    [who('A <a@b>1700000000 +0000')], // missingSpaceBeforeDate
    [who('A <a@b> 1700000000 +051800')], // badTimezone
    [who('A <a@b> 01700000000 +0000')], // zeroPaddedDate
    [who('A 1700000000 +0000')], // missingEmail
    [who('A <a@b> 1700000000 +0000'), '0100644'], // zeroPaddedFilemode
  ];
  for (const [old, mode] of histories) {
    await using scene = await makeScene();
    const { tip, old: commit } = await makeOldHistory(scene.repository, old, mode);
    const mirror = await scene.mirror();
    await mirror.fetch();
    assert.equal(await tipOf(mirror), tip, old);
    assert.deepEqual(await mirror.prepare({ suspect: true }), { made: 'nothing' });
    const opened = await openRepository(mirror.path);
    assert.equal((await newestRevision(opened, { tip: commit, file }))?.version, commit);
  }
});

test('what could be read in two ways is refused and named, unless the operator lets it through', async () => {
  await using scene = await makeScene();
  const { old, tip } = await makeOldHistory(scene.repository, 'author A <a@b> 1700000000 +0000');
  const error = await failure((await scene.mirror()).fetch());
  assert.equal(error.code, 'remote-malformed');
  assert.match(error.message, new RegExp(`the object ${old} in its history is malformed \\(missingCommitter: `));
  assert.match(error.hint ?? '', /repository\.remote\.fsck_skip_list$/);
  const fsckSkipList = join(scene.directory, '../skip');
  const gone = await failure((await scene.mirror({ fsckSkipList })).fetch());
  assert.equal(gone.code, 'bad-setting');
  await writeFile(fsckSkipList, `# known\n${old}\n`);
  const mirror = await scene.mirror({ fsckSkipList });
  await mirror.fetch();
  assert.equal(await tipOf(mirror), tip);
  assert.deepEqual(await mirror.prepare({ suspect: true }), { made: 'nothing' });
});
