import { readFileSync, statSync } from 'node:fs';
import { CliError } from './exit.ts';

interface ReadOptions {
  /** The command, where it takes a FILE. */
  readonly verb?: string;
  readonly exitCode: number;
}

/** The bytes of a config; `-` is standard input. Throws CliError. */
export function readConfig(path: string, { verb, exitCode }: ReadOptions): Buffer {
  try {
    if (path !== '-' && !statSync(path).isFile()) throw new Error('it is not a regular file');
    return readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    const hint = `name the config: ${verb === undefined ? '--file PATH' : `shardplane ${verb} FILE`}`;
    throw new CliError(`cannot read ${path}: ${(error as Error).message}`, { exitCode, hint });
  }
}
