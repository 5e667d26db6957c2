import { stat } from 'node:fs/promises';
import { GitError } from '../exec/git-error.ts';
import { readSettingFile } from '../read/regular-file.ts';

/** The settings of a remote that concern ssh. */
interface SshOptions {
  readonly sshKey: string | null;
  readonly sshKnownHosts: string | null;
  readonly timeoutMs: number;
}

/** The ssh command for git: never prompts, and uses only the given key and known hosts. */
export function sshCommand({ sshKey, sshKnownHosts, timeoutMs }: SshOptions): string {
  const connect = Math.max(1, Math.ceil(timeoutMs / 1000));
  const always = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `ConnectTimeout=${connect}`,
    'ServerAliveInterval=10',
    'ServerAliveCountMax=3',
    'ControlMaster=no',
    'ControlPath=none',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
  ];
  const hosts =
    sshKnownHosts === null
      ? []
      : [`UserKnownHostsFile=${sshOptionPath(sshKnownHosts)}`, 'GlobalKnownHostsFile=/dev/null'];
  const key = sshKey === null ? [] : [`IdentityFile=${sshOptionPath(sshKey)}`, 'IdentitiesOnly=yes'];
  return ['ssh', ...[...always, ...hosts, ...key].map((option) => `-o ${quote(option)}`)].join(' ');
}

/** ssh splits an option's value at spaces, and expands % and ~ in it. */
function sshOptionPath(path: string): string {
  if (/["%\n]|^~/.test(path))
    throw new GitError(
      'bad-setting',
      `ssh can't take the path ${JSON.stringify(path)}`,
      'name the file without " % and ~',
    );
  return `"${path}"`;
}

/** Quotes for a POSIX shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Checks the files that ssh uses: with one that it can't use, ssh only says that access was denied, or the host key unknown.
 * Throws GitError `bad-setting`, which names the file.
 */
export async function checkSshFiles({ sshKey, sshKnownHosts }: SshOptions): Promise<void> {
  if (sshKnownHosts !== null) await readText(sshKnownHosts, 'known hosts', 'ssh_known_hosts');
  if (sshKey === null) return;
  const key = await readText(sshKey, 'ssh key', 'ssh_key');
  if (isEncrypted(key))
    throw new GitError(
      'bad-setting',
      `the ssh key ${sshKey} is encrypted, and there is nobody to type its passphrase`,
      `make a key for this machine alone, without one (ssh-keygen -t ed25519 -N '' -f ${sshKey}), which may only read`,
    );
  const { mode, uid } = await stat(sshKey);
  if (uid === process.getuid?.() && (mode & 0o077) !== 0)
    throw new GitError(
      'bad-setting',
      `the ssh key ${sshKey} can be read by others, so ssh refuses it`,
      `chmod 600 ${sshKey}`,
    );
}

async function readText(path: string, what: string, setting: string): Promise<string> {
  const hint = `see repository.remote.${setting} in the settings`;
  return (await readSettingFile(path, { what: `${what} file`, limit: 1024 * 1024, hint })).toString('latin1');
}

/** PKCS#8 and PEM say ENCRYPTED; OpenSSH's own format names a cipher (openssh/PROTOCOL.key). */
function isEncrypted(key: string): boolean {
  if (/ENCRYPTED/.test(key)) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END/.exec(key)?.[1];
  if (body === undefined) return false;
  const bytes = Buffer.from(body, 'base64');
  const from = 'openssh-key-v1\0'.length;
  return bytes.length > from + 8 && bytes.toString('latin1', from + 4, from + 4 + bytes.readUInt32BE(from)) !== 'none';
}
