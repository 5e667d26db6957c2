import { execFile } from 'node:child_process';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
/** Inside the project, so that the compiled code finds node_modules in a parent folder. */
const target = join(root, '.tools/bench');
const js = join(target, 'js');

/**
 * Compiles servers/ and load/ with the parts of src/ that they use, since installed code is compiled, too (node's type stripping costs
 * 15 MB and some start-up time). Throws with the compiler's output.
 */
export async function buildScripts(): Promise<void> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const project = join(root, 'scripts/bench/tsconfig.build.json');
  await run(process.execPath, [tsc, '-p', project], { timeout: 120_000 }).catch((error: unknown) => {
    throw new Error(`the benchmark could not be compiled: ${(error as { stdout?: string }).stdout ?? String(error)}`);
  });
  for (const name of ['protos', 'schemas', 'package.json']) {
    await rm(join(js, name), { force: true });
    await symlink(join(root, name), join(js, name));
  }
}

/** A script of this folder, compiled: `servers/bare.js`. */
export function builtScript(name: string): string {
  return join(js, 'scripts/bench', name);
}

/** Builds go/; returns the reason as a string if it can't. */
export async function buildGo(): Promise<{ readonly binary: string } | string> {
  const binary = join(target, 'go-control-plane');
  await mkdir(target, { recursive: true });
  try {
    await run('go', ['build', '-o', binary, '.'], { cwd: join(root, 'scripts/bench/go'), timeout: 600_000 });
    return { binary };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'there is no Go on this machine';
    return `it could not be built: ${(error as { stderr?: string }).stderr ?? String(error)}`;
  }
}
