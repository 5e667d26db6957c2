import { readFileSync, statSync } from 'node:fs';
import { CliError } from './exit.ts';

/** The bytes of a config; `-` is standard input. Throws CliError with this exit code. */
export function readConfig(path: string, verb: string, exitCode: number): Uint8Array {
  try {
    if (path !== '-' && !statSync(path).isFile()) throw new Error('it is not a regular file');
    return readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    throw new CliError(`cannot read ${path}: ${(error as Error).message}`, {
      exitCode,
      hint: `name the config: shardplane ${verb} FILE`,
    });
  }
}
