import { readFile } from 'node:fs/promises';

/**
 * Ends the git process group that a killed daemon left at work on `gitDir`, if the process that a mark names is still
 * that one: its environment (Linux: /proc) says so. Elsewhere nothing is done, and its time limits end it.
 */
export async function endLeftover(mark: string, gitDir: string): Promise<void> {
  const pid = Number(await readFile(mark, 'utf8').catch(() => ''));
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  if (!environment.split('\0').includes(`GIT_DIR=${gitDir}`)) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it ended by itself meanwhile
  }
}
