import { createHash } from 'node:crypto';
import { maxFileBytes } from '../../config/text.ts';
import { GitExit, runGit } from '../exec/run.ts';

/** Where to read objects: a repository and, in a hook, the environment that git gave it. */
export interface ObjectStore {
  readonly gitDir: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The result of reading one object; `missing` includes damaged. */
export type Blob = { readonly bytes: Buffer } | 'missing' | { readonly tooLarge: number };

/** How much content to read at once, so that a thousand large revisions are never in memory together. */
const batchBytes = 64 * 1024 * 1024;

/**
 * Sizes of objects, in one process; missing objects are left out. Reads only their headers.
 */
export async function blobSizes(store: ObjectStore, objects: Iterable<string>): Promise<Map<string, number>> {
  const input = [...new Set(objects)].map((object) => `${object}\n`).join('');
  if (input === '') return new Map();
  const { stdout } = await runGit(['cat-file', '--batch-check=%(objectname) %(objecttype) %(objectsize)'], {
    ...at(store),
    input,
  });
  const sizes = new Map<string, number>();
  for (const line of stdout.toString('latin1').split('\n')) {
    const [object = '', type, size = ''] = line.split(' ');
    if (type === 'blob') sizes.set(object, Number(size));
  }
  return sizes;
}

/** Splits objects into runs whose content is at most {@link batchBytes} together (or a single object). */
export function batches(objects: readonly string[], sizes: ReadonlyMap<string, number>): string[][] {
  const runs: string[][] = [];
  let room = 0;
  for (const object of objects) {
    const size = sizes.get(object) ?? 0;
    const cost = size > maxFileBytes ? 0 : size;
    if (runs.length === 0 || cost > room) {
      runs.push([]);
      room = batchBytes;
    }
    runs.at(-1)?.push(object);
    room -= cost;
  }
  return runs;
}

/** Reads objects whose sizes are known, in one process (one more for each damaged object among them). */
export async function readBlobs(
  store: ObjectStore,
  objects: readonly string[],
  sizes: ReadonlyMap<string, number>,
): Promise<Map<string, Blob>> {
  const blobs = new Map<string, Blob>();
  let wanted: string[] = [];
  for (const object of new Set(objects)) {
    const size = sizes.get(object);
    if (size === undefined) blobs.set(object, 'missing');
    else if (size > maxFileBytes) blobs.set(object, { tooLarge: size });
    else wanted.push(object);
  }
  while (wanted.length > 0) {
    const read = parseBatch(await catFile(store, wanted));
    for (const [object, bytes] of read)
      blobs.set(object, bytes !== null && isIntact(object, bytes) ? { bytes } : 'missing');
    // git gives up at a damaged object: count it as missing, and ask for the rest again
    wanted = wanted.filter((object) => !blobs.has(object));
    const damaged = wanted.shift();
    if (damaged !== undefined) blobs.set(damaged, 'missing');
  }
  return blobs;
}

async function catFile(store: ObjectStore, objects: readonly string[]): Promise<Buffer> {
  const input = objects.map((object) => `${object}\n`).join('');
  const maxOutputBytes = batchBytes + 1024 * 1024;
  try {
    return (await runGit(['cat-file', '--batch'], { ...at(store), input, maxOutputBytes })).stdout;
  } catch (error) {
    if (error instanceof GitExit && error.exitCode === 128) return error.stdout;
    throw error;
  }
}

/** `<object> blob <size>\n<bytes>\n` or `<object> missing\n`, repeated; an incomplete last one is left out. */
function parseBatch(output: Buffer): Map<string, Buffer | null> {
  const found = new Map<string, Buffer | null>();
  for (let at = 0; ;) {
    const end = output.indexOf(10, at);
    if (end === -1) return found;
    const [object = '', type, size = '0'] = output.toString('latin1', at, end).split(' ');
    const length = type === 'missing' ? -1 : Number(size);
    if (end + 1 + length > output.length) return found;
    found.set(object, type === 'blob' ? output.subarray(end + 1, end + 1 + length) : null);
    at = end + 2 + length;
  }
}

/** git only checks the zlib checksum here; hashing takes a few microseconds and proves that these are the commit's bytes. */
function isIntact(object: string, bytes: Buffer): boolean {
  const hash = createHash(object.length === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${bytes.length}\0`).update(bytes).digest('hex') === object;
}

function at({ gitDir, env }: ObjectStore): ObjectStore {
  return env === undefined ? { gitDir } : { gitDir, env };
}
