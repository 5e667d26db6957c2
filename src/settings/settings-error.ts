import type { Diagnostic } from '../config/diagnostic.ts';

/** The diagnostics of a settings file, and its text, to draw them from. */
export interface SettingsFaults {
  readonly diagnostics: readonly Diagnostic[];
  readonly source: string;
}

/** Settings that can't be used. The message names the file, line and setting of the first fault. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly hint: string | null;
  /** Null when the fault is not in a settings file. */
  readonly faults: SettingsFaults | null;

  constructor(message: string, hint: string | null, faults: SettingsFaults | null = null) {
    super(message);
    this.hint = hint;
    this.faults = faults;
  }
}

/** Throws SettingsError if there are diagnostics. */
export function throwFaults({ diagnostics, source }: SettingsFaults): void {
  const [first] = diagnostics;
  if (first === undefined) return;
  const { file, line, column, message, hint } = first;
  throw new SettingsError(`${file}:${line}:${column}: ${message}`, hint, { diagnostics, source });
}
