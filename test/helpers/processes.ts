import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

/** Command lines, or environments, of all processes that we can read (Linux: /proc), by process id. */
export async function readProcesses(what: 'cmdline' | 'environ'): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/${what}`, 'utf8').catch(() => '');
    if (text !== '') found.set(Number(name), text);
  }
  return found;
}

/** Ids of the git processes (and their children) that work on a repository. */
export async function gitProcessesOf(gitDir: string): Promise<number[]> {
  const all = await readProcesses('environ');
  return [...all]
    .filter(([pid, text]) => pid !== process.pid && text.split('\0').includes(`GIT_DIR=${gitDir}`))
    .map(([pid]) => pid);
}

/** A process with this id runs. One that has ended stays in the table until its parent asks how (a zombie): it counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
