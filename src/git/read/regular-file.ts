import { constants } from 'node:fs';
import { access, open, type FileHandle } from 'node:fs/promises';
import { GitError } from '../exec/git-error.ts';

/** The result of reading a path on disk with care. */
export type RegularFile = { readonly bytes: Buffer } | 'missing' | 'not-regular' | { readonly tooLarge: number };

/**
 * Reads a file that anyone may have put there: a FIFO, a device, a directory or a symbolic link is not opened for
 * reading, and what is larger than `limit` bytes is not read. An operator's own file may be a link (`followLink`).
 * Throws only what the disk itself fails with (EIO, EACCES).
 */
export async function readRegularFile(path: string, limit: number, { followLink = false } = {}): Promise<RegularFile> {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  let handle: FileHandle;
  try {
    handle = await open(path, O_RDONLY | O_NONBLOCK | (followLink ? 0 : O_NOFOLLOW));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    if (code === 'ELOOP' || code === 'ENXIO') return 'not-regular'; // a link; a socket
    throw error;
  }
  try {
    return await readHandle(handle, limit);
  } finally {
    await handle.close();
  }
}

/** Reads a file that a setting names; `what` it is and the `hint`, for words. Throws GitError `bad-setting`. */
export async function readSettingFile(
  path: string,
  { what, limit, hint }: { what: string; limit: number; hint: string },
): Promise<Buffer> {
  const refuse = (why: string): never => {
    throw new GitError('bad-setting', `the ${what} ${path} ${why}`, hint);
  };
  const file = await readRegularFile(path, limit, { followLink: true }).catch((error: unknown) =>
    refuse(`can't be read: ${(error as Error).message}`),
  );
  if (typeof file === 'object' && 'bytes' in file) return file.bytes;
  return refuse(file === 'missing' ? 'is not there' : `is not a regular file of at most ${limit / 1024} KiB`);
}

/** Whether there is anything at a path. */
export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function readHandle(handle: FileHandle, limit: number): Promise<RegularFile> {
  const found = await handle.stat();
  if (!found.isFile()) return 'not-regular';
  if (found.size > limit) return { tooLarge: found.size };
  // one byte more than its size, to notice a file that grows meanwhile
  const buffer = Buffer.alloc(found.size + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length > limit ? { tooLarge: length } : { bytes: buffer.subarray(0, length) };
}
