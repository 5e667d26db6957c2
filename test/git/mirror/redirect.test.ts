import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { GitError } from '../../../src/git/exec/git-error.ts';
import { Mirror } from '../../../src/git/mirror/mirror.ts';
import { runGit } from '../../../src/git/exec/run.ts';
import { toTransport, type Remote } from '../../../src/git/mirror/transport.ts';
import { Secrets } from '../../../src/secrets.ts';
import { git, makeRepository, temporaryFolder } from '../../helpers/git.ts';
import { serveGit } from '../../helpers/git-http.ts';
import { remoteAt } from '../../helpers/remote.ts';

const file = 'shard-config.yaml';
const password = 'hunter2-hunter2';

async function fetchFails(remote: Remote): Promise<GitError> {
  await using folder = await temporaryFolder();
  const mirror = new Mirror({ directory: join(folder.path, 'mirror.git'), remote });
  await mirror.prepare();
  const error = await mirror.fetch().then(
    () => new Error('it was fetched'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof GitError, String(error));
  assert.ok(!`${error.message} ${error.hint ?? ''}`.includes(password), error.message);
  return error;
}

test('no redirect is followed: another host gets neither a request nor the password', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  await using own = await serveGit(repository.path);
  await using other = await serveGit(repository.path);
  const credentials = join(repository.path, 'credentials');
  await writeFile(credentials, `http://me:${password}@127.0.0.1:${own.port}\n`);
  const targets = [other.origin, `http://me:${password}@127.0.0.1:${other.port}`, `file://${repository.path}`];
  for (const status of [301, 302, 307, 308]) {
    for (const target of targets) {
      own.fault = (request, response) =>
        void response.writeHead(status, { location: `${target}${request.url ?? ''}` }).end();
      const error = await fetchFails(remoteAt(`${own.origin}/.git`, { credentialsFile: credentials }));
      assert.equal(error.code, 'remote-redirects');
      const shown = target.replace(`me:${password}`, '***');
      assert.equal(error.message, `${own.origin}/.git redirects to ${shown}/.git: it is not followed`);
      assert.match(error.hint ?? '', /^if the repository has moved, set repository\.remote\.url /);
    }
  }
  assert.deepEqual(other.requests, []);
});

test('nor is one of what is asked after the password was given', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  await using own = await serveGit(repository.path);
  await using other = await serveGit(repository.path);
  own.login = `me:${password}`;
  own.onRequest = () => {
    if (!own.requests.at(-1)?.startsWith('POST')) return;
    own.fault = (request, response) =>
      void response.writeHead(307, { location: `${other.origin}${request.url ?? ''}` }).end();
  };
  const error = await fetchFails(remoteAt(`http://me:${password}@127.0.0.1:${own.port}/.git`));
  assert.equal(error.code, 'remote-redirects');
  assert.deepEqual(other.requests, []);
});

test('https that redirects to plain http on another port', async () => {
  await using folder = await temporaryFolder();
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  await using own = await serveGit(repository.path, {
    key: await readFile(key, 'utf8'),
    cert: await readFile(cert, 'utf8'),
  });
  await using plain = await serveGit(repository.path);
  own.fault = (request, response) =>
    void response.writeHead(302, { location: `${plain.origin}${request.url ?? ''}` }).end();
  const error = await fetchFails(remoteAt(`https://me:${password}@127.0.0.1:${own.port}/.git`, { ca: cert }));
  assert.equal(error.code, 'remote-redirects');
  assert.match(error.message, new RegExp(`redirects to ${plain.origin}/\\.git: it is not followed$`));
  assert.match(error.hint ?? '', /^it leaves TLS: /);
  assert.deepEqual(plain.requests, []);
});

test("the password of the URL is given to the URL's own host alone", async () => {
  const { run } = await toTransport(remoteAt(`https://me:${password}@git.example.com:8443/x`), new Secrets());
  const fill = async (host: string, protocol: string): Promise<string> => {
    const input = `protocol=${protocol}\nhost=${host}\n\n`;
    return (await runGit(['credential', 'fill'], { ...run, input, answers: [0, 128] })).stdout.toString();
  };
  assert.match(await fill('git.example.com:8443', 'https'), new RegExp(`password=${password}`));
  const others = [
    ['git.example.com', 'https'],
    ['git.example.com:8444', 'https'],
    ['proxy.example.com:8443', 'https'],
    ['git.example.com:8443', 'http'],
  ] as const;
  for (const [host, protocol] of others) assert.doesNotMatch(await fill(host, protocol), new RegExp(password));
});

test('a server that sends our password back in its words', async () => {
  await using repository = await makeRepository();
  await using own = await serveGit(repository.path);
  const pair = Buffer.from(`me:${password}`).toString('base64');
  for (const padding of [0, 440, 460, 16_300, 16_360]) {
    own.fault = (request, response) => {
      const given = request.headers.authorization;
      if (given === undefined) return void response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      const words = `${'x'.repeat(padding)} ${given} ${password}`;
      response.writeHead(403, { 'content-type': 'text/plain' }).end(words);
    };
    const error = await fetchFails(remoteAt(`http://me:${password}@127.0.0.1:${own.port}/.git`));
    for (const secret of [pair, password])
      for (let length = 6; length <= secret.length; length += 1)
        assert.ok(!error.message.endsWith(secret.slice(0, length)), error.message);
  }
});

test('a dumb http server can name no other host as the place of its objects', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  await repository.git('update-server-info');
  const tip = await repository.git('rev-parse', 'HEAD');
  await using other = await serveGit(repository.path);
  await using own = await serveGit(repository.path);
  own.fault = (request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    if (path.endsWith('/info/refs')) return void response.end(`${tip}\trefs/heads/main\n`);
    if (path.endsWith('/HEAD')) return void response.end('ref: refs/heads/main\n');
    if (path.endsWith('-alternates')) return void response.end(`${other.origin}/.git/objects\n`);
    response.writeHead(404).end();
  };
  const error = await fetchFails(remoteAt(`http://me:${password}@127.0.0.1:${own.port}/.git`));
  assert.match(error.code, /^remote-/);
  assert.deepEqual(other.requests, []);
  // so that what is asserted means something: git with its defaults, told to follow, goes there
  await using folder = await temporaryFolder();
  await git(folder.path, ['init', '--quiet', '--bare']);
  await git(folder.path, ['-c', 'http.followRedirects=true', 'fetch', '--quiet', `${own.origin}/.git`, 'main']);
  assert.notDeepEqual(other.requests, []);
});
