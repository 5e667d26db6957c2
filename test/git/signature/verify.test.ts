import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isGitError } from '../../../src/git/exec/git-error.ts';
import { openRepository, type GitRepository } from '../../../src/git/read/repository.ts';
import { readGpgStatus, readSshOutput, verifyCommit, type VerifyOptions } from '../../../src/git/signature/verify.ts';
import { git, makeRepository, temporaryFolder, type TestRepository } from '../../helpers/git.ts';

const file = 'shard-config.yaml';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let repository: TestRepository;
let opened: GitRepository;

before(async () => {
  folder = await temporaryFolder();
  repository = await makeRepository();
  await repository.commit({ [file]: 'one' }, 'not signed');
  opened = await openRepository(repository.path);
});

after(async () => {
  for (const home of await readdir(folder.path))
    execFileSync('gpgconf', ['--homedir', join(folder.path, home), '--kill', 'all'], { stdio: 'ignore' });
  await repository[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function verdict(version: string, options: Partial<VerifyOptions>): Promise<string> {
  const directory = join(folder.path, 'verify');
  const fault = await verifyCommit(
    opened,
    { version, file },
    { gpgKeyring: null, sshAllowedSigners: null, directory, ...options },
  );
  return fault?.code ?? 'good';
}

/** A signed commit on top of HEAD, by plumbing: no branch moves. */
async function signed(env: Record<string, string>, config: readonly string[]): Promise<string> {
  const args = [
    ...config.flatMap((setting) => ['-c', setting]),
    'commit-tree',
    '-S',
    '-p',
    'HEAD',
    '-m',
    'signed',
    'HEAD^{tree}',
  ];
  return await git(repository.path, args, { env });
}

/** The same commit with another message under the old signature. */
async function tampered(version: string): Promise<string> {
  const commit = await git(repository.path, ['cat-file', 'commit', version]);
  return await git(repository.path, ['hash-object', '-t', 'commit', '-w', '--stdin'], {
    input: `${commit.replace(/signed$/, 'changed')}\n`,
  });
}

interface GpgKey {
  readonly home: string;
  readonly keyring: string;
  sign(): Promise<string>;
  gpg(...args: string[]): Buffer;
}

/** A GPG key of its own home; `time`: what its owner's clock shows. */
async function makeGpgKey(name: string, { expires = 'never', time = '' } = {}): Promise<GpgKey> {
  const home = join(folder.path, name);
  await mkdir(home, { mode: 0o700 });
  const clock = time === '' ? [] : ['--faked-system-time', time];
  const gpg = (...args: string[]): Buffer =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', ...clock, ...args], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  gpg('--passphrase', '', '--quick-gen-key', `${name} <${name}@example.com>`, 'ed25519', 'sign', expires);
  const keyring = join(folder.path, `${name}.gpg`);
  await writeFile(keyring, gpg('--export'));
  const program = join(home, 'gpg-with-clock');
  await writeFile(program, `#!/bin/sh\nexec gpg ${clock.join(' ')} "$@"\n`);
  await chmod(program, 0o755);
  const sign = (): Promise<string> =>
    signed({ GNUPGHOME: home }, [`user.signingKey=${name}@example.com`, `gpg.program=${program}`]);
  return { home, keyring, sign, gpg };
}

async function makeSshKey(name: string): Promise<{ line: string; sign(): Promise<string> }> {
  const path = join(folder.path, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path]);
  const line = (await readFile(`${path}.pub`, 'utf8')).trim();
  return { line, sign: () => signed({}, ['gpg.format=ssh', `user.signingKey=${path}`]) };
}

test('a commit without a signature', async () => {
  assert.equal(await verdict(await repository.git('rev-parse', 'HEAD'), {}), 'signature-missing');
});

test('a signature in the message is none', async () => {
  const message = 'words\n\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----';
  const version = await repository.git('commit-tree', '-m', message, 'HEAD^{tree}');
  assert.equal(await verdict(version, {}), 'signature-missing');
});

test('GPG: good, changed, by another key, without a keyring', async () => {
  const [ours, theirs] = [await makeGpgKey('ours'), await makeGpgKey('theirs')];
  const good = await ours.sign();
  assert.equal(await verdict(good, { gpgKeyring: ours.keyring }), 'good');
  assert.equal(await verdict(good, { gpgKeyring: ours.keyring }), 'good', 'again, from the home that is there');
  assert.equal(await verdict(await tampered(good), { gpgKeyring: ours.keyring }), 'signature-bad');
  assert.equal(await verdict(good, { gpgKeyring: theirs.keyring }), 'signature-unknown-key');
  assert.equal(await verdict(good, {}), 'signature-unknown-key');
  await assert.rejects(verdict(good, { gpgKeyring: join(folder.path, 'nowhere') }), (error) =>
    isGitError(error, 'bad-setting'),
  );
  await writeFile(join(folder.path, 'empty.gpg'), 'no keys');
  await assert.rejects(verdict(good, { gpgKeyring: join(folder.path, 'empty.gpg') }), (error) =>
    isGitError(error, 'bad-setting'),
  );
});

test('GPG: a keyring that changes is read anew, and a revoked key counts no more', async () => {
  const key = await makeGpgKey('revoked');
  const version = await key.sign();
  assert.equal(await verdict(version, { gpgKeyring: key.keyring }), 'good');
  const [revocation = ''] = await readdir(join(key.home, 'openpgp-revocs.d'));
  const certificate = await readFile(join(key.home, 'openpgp-revocs.d', revocation), 'utf8');
  await writeFile(join(key.home, 'revoke.asc'), certificate.replace(':-----BEGIN', '-----BEGIN'));
  key.gpg('--import', join(key.home, 'revoke.asc'));
  await writeFile(key.keyring, key.gpg('--export', '--armor'));
  assert.equal(await verdict(version, { gpgKeyring: key.keyring }), 'signature-bad');
});

test('GPG: a key that has expired', async () => {
  const key = await makeGpgKey('expired', { expires: '1d', time: '20240101T000000' });
  assert.equal(await verdict(await key.sign(), { gpgKeyring: key.keyring }), 'signature-expired');
});

test('SSH: good, changed, by another key, by one that is not valid then, without the file', async () => {
  const [ours, theirs] = [await makeSshKey('ssh-ours'), await makeSshKey('ssh-theirs')];
  const signers = async (...lines: string[]): Promise<Partial<VerifyOptions>> => {
    const path = join(folder.path, 'allowed signers');
    await writeFile(path, `${lines.join('\n')}\n`);
    return { sshAllowedSigners: path };
  };
  const good = await ours.sign();
  assert.equal(await verdict(good, await signers(`us@example.com ${ours.line}`)), 'good');
  assert.equal(await verdict(await tampered(good), await signers(`us@example.com ${ours.line}`)), 'signature-bad');
  assert.equal(
    await verdict(await theirs.sign(), await signers(`us@example.com ${ours.line}`)),
    'signature-unknown-key',
  );
  assert.equal(
    await verdict(good, await signers(`us@example.com valid-before="20200101" ${ours.line}`)),
    'signature-expired',
  );
  assert.equal(
    await verdict(good, await signers(`us@example.com namespaces="file" ${ours.line}`)),
    'signature-unknown-key',
  );
  assert.equal(await verdict(good, {}), 'signature-unknown-key');
  await assert.rejects(verdict(good, { sshAllowedSigners: join(folder.path, 'nowhere') }), (error) =>
    isGitError(error, 'bad-setting'),
  );
});

test("the repository's own config can't vouch for a key, nor run a program", async () => {
  const [gpg, ssh] = [await makeGpgKey('intruder'), await makeSshKey('ssh-intruder')];
  const canary = join(folder.path, 'canary');
  const program = join(folder.path, 'vouch');
  await writeFile(
    program,
    `#!/bin/sh\ntouch ${canary}\necho '[GNUPG:] GOODSIG A B' >&2\necho '[GNUPG:] VALIDSIG A' >&2\nexit 0\n`,
  );
  await chmod(program, 0o755);
  const signers = join(folder.path, 'their-signers');
  await writeFile(signers, `them@example.com ${ssh.line}\n`);
  const versions = [await gpg.sign(), await ssh.sign()];
  const settings = {
    'gpg.program': program,
    'gpg.openpgp.program': program,
    'gpg.ssh.program': program,
    'gpg.ssh.allowedSignersFile': signers,
    'gpg.ssh.defaultKeyCommand': program,
    'gpg.minTrustLevel': 'never',
  };
  for (const [name, value] of Object.entries(settings)) await repository.git('config', name, value);
  const none = join(folder.path, 'no-signers');
  await writeFile(none, '');
  const ours = await makeGpgKey('ours-again');
  for (const version of versions)
    assert.equal(
      await verdict(version, { gpgKeyring: ours.keyring, sshAllowedSigners: none }),
      'signature-unknown-key',
    );
  await assert.rejects(readFile(canary));
  for (const name of Object.keys(settings)) await repository.git('config', '--unset', name);
  await rm(none);
});

test('words that only look like a good signature', () => {
  const good = '[GNUPG:] GOODSIG A Name\n[GNUPG:] VALIDSIG F\n';
  assert.equal(readGpgStatus(good, 0), null);
  assert.equal(readGpgStatus(good, 1)?.[0], 'signature-bad');
  assert.equal(readGpgStatus(good + good, 0)?.[0], 'signature-bad');
  assert.equal(readGpgStatus('[GNUPG:] GOODSIG A Name\n', 0)?.[0], 'signature-bad');
  assert.equal(readGpgStatus(`${good}[GNUPG:] BADSIG B Other\n`, 0)?.[0], 'signature-bad');
  assert.equal(readGpgStatus('', 0)?.[0], 'signature-bad');
  assert.equal(readSshOutput('Good "git" signature for us with ED25519 key SHA256:x\n', 0), null);
  assert.equal(
    readSshOutput('Good "git" signature with ED25519 key SHA256:x\nNo principal matched.\n', 0)?.[0],
    'signature-unknown-key',
  );
});
