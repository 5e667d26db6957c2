#!/usr/bin/env node
import './heap.ts';
import { CommanderError } from 'commander';
import pc from 'picocolors';
import { printable } from '../config/words.ts';
import { SettingsError } from '../settings/settings-error.ts';
import { hasColor } from '../terminal.ts';
import { CliError } from './exit.ts';
import { printDiagnostics } from './print-diagnostics.ts';

try {
  checkNode();
  const { createProgram } = await import('./program.ts'); // which an older Node can't load
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function checkNode(): void {
  if (Number.parseInt(process.versions.node, 10) >= 24) return;
  throw new CliError(`shardplane needs Node 24 or later, and this is ${process.version}`, {
    hint: 'put the directory of a newer node first in PATH',
  });
}

/** Prints the error and returns the exit code: 2 for usage errors, which commander has printed already. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitOfUsage();
  const { message, hint, exitCode } = error as Error & { hint?: string | null; exitCode?: number };
  const colors = pc.createColors(hasColor(process.stderr));
  if (error instanceof SettingsError && error.faults !== null) {
    printDiagnostics(error.faults.diagnostics, error.faults.source);
    return exitOf(undefined);
  }
  process.stderr.write(`${colors.red('error:')} ${printable(message)}\n`);
  if (hint) process.stderr.write(`  ${colors.cyan('hint:')} ${printable(hint)}\n`);
  if (process.env['DEBUG']) process.stderr.write(`${(error as Error).stack ?? ''}\n`);
  return exitOf(exitCode);
}

/** Of `plan`, 2 says that something changes. */
function exitOfUsage(): number {
  return process.argv[2] === 'plan' ? 1 : 2;
}

function exitOf(exitCode: number | undefined): number {
  return exitCode ?? (process.argv[2] === 'check' ? 2 : 1);
}
