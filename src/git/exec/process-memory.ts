import { readFile } from 'node:fs/promises';

/**
 * Memory of its own (not that of mapped files) that a process and its descendants hold, in bytes; 0 where there is no
 * /proc that tells (not Linux).
 */
export async function memoryOf(pid: number, depth = 4): Promise<number> {
  const [statm, children] = await Promise.all([
    readFile(`/proc/${pid}/statm`, 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => ''),
  ]);
  const [, resident = 0, shared = 0] = statm.split(' ').map(Number);
  const below = depth === 0 ? [] : children.split(' ').filter((word) => word !== '');
  const theirs = await Promise.all(below.map((child) => memoryOf(Number(child), depth - 1)));
  return theirs.reduce((sum, each) => sum + each, (resident - shared) * pageBytes);
}

/** The smallest page there is: with larger ones (arm64) the bound is a multiple. */
const pageBytes = 4096;
