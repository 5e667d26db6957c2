import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** What a path on disk came to when read with care. */
export type RegularFile = { readonly bytes: Buffer } | 'missing' | 'not-regular' | { readonly tooLarge: number };

/**
 * Reads a file that anyone may have put there: a FIFO, a device, a directory or a symbolic link is not opened for
 * reading, and what is larger than `limit` bytes is not read. An
 * operator's own file may be a link (`followLink`). Throws only what the disk itself fails with (EIO, EACCES).
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

async function readHandle(handle: FileHandle, limit: number): Promise<RegularFile> {
  const found = await handle.stat();
  if (!found.isFile()) return 'not-regular';
  if (found.size > limit) return { tooLarge: found.size };
  // one byte more than it said, to see a file that grows meanwhile
  const buffer = Buffer.alloc(found.size + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length > limit ? { tooLarge: length } : { bytes: buffer.subarray(0, length) };
}
