import { readFile } from 'node:fs/promises';

/**
 * Memory of a process and its descendants in bytes, without mapped files; 0 where there is no /proc (not Linux).
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

/** The smallest page size: where pages are larger (arm64), the result is too low by that factor. */
const pageBytes = 4096;
