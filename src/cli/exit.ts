/** Ends the command with a message and an exit code; main.ts prints it. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;
  readonly hint: string | null;

  constructor(message: string, options: { exitCode?: number; hint?: string | null } = {}) {
    super(message);
    this.exitCode = options.exitCode ?? 1;
    this.hint = options.hint ?? null;
  }
}
