import type { Diagnostic, DiagnosticCode } from '../../config/diagnostic.ts';
import { GitError } from '../exec/git-error.ts';
import { toGnupgHome } from './keyring.ts';
import { checkSha } from '../exec/names.ts';
import type { GitRepository } from '../read/repository.ts';
import { runGit } from '../exec/run.ts';
import { short } from '../../release/short.ts';

/** Whose signatures count. */
export interface VerifyOptions {
  /** Public keys as `gpg --export` writes them, or null. */
  readonly gpgKeyring: string | null;
  /** ssh-keygen(1), ALLOWED SIGNERS; or null. */
  readonly sshAllowedSigners: string | null;
  /** A directory for gpg homes. */
  readonly directory: string;
}

/** The commit to check, and the path that diagnostics name. */
export interface VerifyTarget {
  readonly version: string;
  readonly file: string;
}

/**
 * Whether a commit carries a good signature by a key that counts: null, or why not. Both files are read again each
 * time. Throws GitError when that is unknown: `bad-setting` (no keyring, no gpg), and those of runGit.
 */
export async function verifyCommit(
  repository: GitRepository,
  target: VerifyTarget,
  options: VerifyOptions,
): Promise<Diagnostic | null> {
  const kind = await signatureKind(repository, target.version);
  if (kind === null) return toDiagnostic(target, ['signature-missing', 'is not signed']);
  const fault =
    kind === 'gpg'
      ? await checkGpg(repository, target.version, options)
      : kind === 'ssh'
        ? await checkSsh(repository, target.version, options)
        : unknownKind;
  return fault === null ? null : toDiagnostic(target, fault);
}

type Fault = readonly [code: DiagnosticCode, words: string];

const unknownKind: Fault = ['signature-unknown-key', 'is signed in a way that is not supported (X.509)'];

/** Read from the commit's header, which ends at the first empty line. */
async function signatureKind(repository: GitRepository, version: string): Promise<'gpg' | 'ssh' | 'other' | null> {
  const { stdout } = await runGit(['cat-file', 'commit', checkSha(version)], { gitDir: repository.gitDir });
  const text = stdout.toString('latin1');
  const header = text.slice(0, text.indexOf('\n\n') + 1);
  const begin = /^gpgsig(?:-sha256)? (.*)$/m.exec(header)?.[1];
  if (begin === undefined) return null;
  if (/^-----BEGIN PGP (SIGNATURE|MESSAGE)-----/.test(begin)) return 'gpg';
  return begin.startsWith('-----BEGIN SSH SIGNATURE-----') ? 'ssh' : 'other';
}

async function checkGpg(
  repository: GitRepository,
  version: string,
  { gpgKeyring, directory }: VerifyOptions,
): Promise<Fault | null> {
  if (gpgKeyring === null)
    return ['signature-unknown-key', 'is signed with a GPG key, and verify.gpg_keyring is not set'];
  const env = { GNUPGHOME: await toGnupgHome(gpgKeyring, directory) };
  const config = [
    ['gpg.program', 'gpg'],
    ['gpg.openpgp.program', 'gpg'],
    ['gpg.minTrustLevel', 'undefined'],
  ] as const;
  const { stderr, exitCode } = await runVerify(repository, version, { env, config });
  return readGpgStatus(stderr, exitCode);
}

// gpg prints one of these for each signature: https://github.com/gpg/gnupg/blob/master/doc/DETAILS, "General status codes"
const gpgVerdicts: readonly [keyword: string, code: DiagnosticCode, words: string][] = [
  ['BADSIG', 'signature-bad', 'was changed after it was signed'],
  ['REVKEYSIG', 'signature-bad', 'is signed with a key that was revoked'],
  ['EXPKEYSIG', 'signature-expired', 'is signed with a key that has expired'],
  ['EXPSIG', 'signature-expired', 'has a signature that has expired'],
  ['NO_PUBKEY', 'signature-unknown-key', 'is signed with a key that is not in verify.gpg_keyring'],
  ['ERRSIG', 'signature-bad', 'has a signature that gpg cannot check'],
];

/** Interprets gpg's status lines; null only for exactly one good signature. */
export function readGpgStatus(output: string, exitCode: number): Fault | null {
  const lines = [...output.matchAll(/^\[GNUPG:\] (\S+) ?(.*)$/gm)].map(([, keyword = '', rest = '']) => ({
    keyword,
    rest,
  }));
  for (const [keyword, code, words] of gpgVerdicts) {
    const line = lines.find((each) => each.keyword === keyword);
    if (line !== undefined) return [code, `${words} (${clean(line.rest)})`];
  }
  const count = (keyword: string): number => lines.filter((line) => line.keyword === keyword).length;
  if (exitCode === 0 && count('GOODSIG') === 1 && count('VALIDSIG') === 1) return null;
  if (/cannot run gpg/.test(output))
    throw new GitError('bad-setting', 'gpg could not be started: it is not on the PATH', 'install gpg');
  return ['signature-bad', 'has a signature that gpg cannot check'];
}

async function checkSsh(
  repository: GitRepository,
  version: string,
  { sshAllowedSigners }: VerifyOptions,
): Promise<Fault | null> {
  if (sshAllowedSigners === null)
    return ['signature-unknown-key', 'is signed with an SSH key, and verify.ssh_allowed_signers is not set'];
  const config = [
    ['gpg.ssh.program', 'ssh-keygen'],
    ['gpg.ssh.allowedSignersFile', sshAllowedSigners],
  ] as const;
  const { stderr, exitCode } = await runVerify(repository, version, { config });
  return readSshOutput(stderr, exitCode);
}

/** Interprets ssh-keygen's output; null only for a good signature by someone who is in the file. */
export function readSshOutput(output: string, exitCode: number): Fault | null {
  if (exitCode === 0 && /^Good "git" signature for \S.* with /m.test(output)) return null;
  if (/cannot run ssh-keygen/.test(output))
    throw new GitError(
      'bad-setting',
      'ssh-keygen could not be started: it is not on the PATH',
      'install the OpenSSH client',
    );
  const unreadable = /Unable to open allowed keys file|allowedSignersFile needs to be configured/.exec(output)?.[0];
  if (unreadable !== undefined)
    throw new GitError(
      'bad-setting',
      `the allowed signers can't be read: ${clean(output)}`,
      'see repository.verify.ssh_allowed_signers',
    );
  const key = /with (\S+ key SHA256:\S+)/.exec(output)?.[1] ?? 'a key';
  if (/key has expired|key is not yet valid/.test(output))
    return ['signature-expired', `is signed with ${key}, which was not valid at that time`];
  if (/not permitted for use/.test(output))
    return [
      'signature-unknown-key',
      `is signed with ${key}, which verify.ssh_allowed_signers does not let sign commits`,
    ];
  if (/Signature verification failed|Could not verify|incorrect signature|revoked/i.test(output))
    return ['signature-bad', 'was changed after it was signed, or its key was revoked'];
  return ['signature-unknown-key', `is signed with ${key}, which is not in verify.ssh_allowed_signers`];
}

async function runVerify(
  repository: GitRepository,
  version: string,
  how: { env?: Record<string, string>; config: readonly (readonly [string, string])[] },
): Promise<{ stderr: string; exitCode: number }> {
  const args = ['verify-commit', '--raw', checkSha(version)];
  return await runGit(args, { gitDir: repository.gitDir, answers: [0, 1, 128], ...how });
}

function clean(words: string): string {
  return words
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 200);
}

function toDiagnostic({ version, file }: VerifyTarget, [code, words]: Fault): Diagnostic {
  const hint =
    code === 'signature-missing'
      ? 'sign it (git commit --amend -S; once it is pushed, a signed change of the file on top), with a key that repository.verify knows'
      : 'sign it with a key that repository.verify knows';
  return { code, message: `commit ${short(version)} ${words}`, file, line: 1, column: 1, hint };
}
