import { execFile } from 'node:child_process';

/** The result of running a tool on the whole tree. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What it printed. */
  readonly output: string;
  readonly durationMs: number;
}

/** Runs a tool of node_modules. */
export function runCheck(name: string, args: readonly string[]): Promise<Check> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    execFile('npx', ['--no-install', name, ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ name, ok: error === null, output: stdout + stderr, durationMs: performance.now() - startedAt });
    });
  });
}
