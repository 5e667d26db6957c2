import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError } from '../exec/git-error.ts';
import { exists, readSettingFile } from '../read/regular-file.ts';
import { runProgram } from '../exec/run.ts';

// The operator trusts every key of the keyring; gpg still reports which are expired or revoked.
const gpgConf = 'trust-model always\nno-auto-key-retrieve\nno-auto-key-locate\nno-autostart\ndisable-dirmngr\nbatch\n';

const keyringFile = {
  what: 'keyring',
  limit: 16 * 1024 * 1024,
  hint: 'gpg --export FINGERPRINT > FILE writes one; see repository.verify.gpg_keyring',
};

/**
 * A GnuPG home that knows the keys of a file (as `gpg --export` writes it, armoured or not) and no others. The file is
 * looked at each time; a new home is created when it has changed. Throws GitError `bad-setting`.
 */
export async function toGnupgHome(keyring: string, directory: string): Promise<string> {
  const bytes = await readSettingFile(keyring, keyringFile);
  const name = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const home = join(directory, name);
  if (await exists(join(home, 'pubring.kbx'))) return home;
  try {
    await importKeys({ bytes, keyring, home });
    await removeOthers(directory, name);
    return home;
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new GitError(
      'bad-setting',
      `keys can't be kept in ${directory}: ${error.message}`,
      'is state.directory writable?',
    );
  }
}

/** Imports into another directory and renames it, so that a home that exists is complete. */
async function importKeys({ bytes, keyring, home }: { bytes: Buffer; keyring: string; home: string }): Promise<void> {
  const made = `${home}.new`;
  await rm(made, { recursive: true, force: true });
  await mkdir(made, { recursive: true, mode: 0o700 });
  await writeFile(join(made, 'gpg.conf'), gpgConf);
  const { stderr } = await runProgram('gpg', ['--homedir', made, '--status-fd', '2', '--import'], {
    input: bytes,
    answers: [0, 2],
  });
  if (!/\[GNUPG:\] IMPORT_OK/.test(stderr) || !(await exists(join(made, 'pubring.kbx')))) {
    throw new GitError(
      'bad-setting',
      `the keyring ${keyring} has no key that gpg understands`,
      'gpg --show-keys FILE says what is in it',
    );
  }
  await rename(made, home);
}

async function removeOthers(directory: string, keep: string): Promise<void> {
  const others = (await readdir(directory)).filter((name) => /^[0-9a-f]{16}(\.new)?$/.test(name) && name !== keep);
  await Promise.all(others.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}
