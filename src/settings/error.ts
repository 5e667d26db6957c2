import type { Diagnostic } from '../config/diagnostic.ts';

/** What is wrong with a settings file, each at its place, and the file's text to draw it from. */
export interface SettingsFaults {
  readonly diagnostics: readonly Diagnostic[];
  readonly source: string;
}

/** Settings that cannot be used. The message names the file, the line and the setting; of several faults, it tells the first. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly hint: string | null;
  /** Null where the fault has no place in a file. */
  readonly faults: SettingsFaults | null;

  constructor(message: string, hint: string | null, faults: SettingsFaults | null = null) {
    super(message);
    this.hint = hint;
    this.faults = faults;
  }
}

/** Throws SettingsError where there is a fault. */
export function throwFaults({ diagnostics, source }: SettingsFaults): void {
  const [first] = diagnostics;
  if (first === undefined) return;
  const { file, line, column, message, hint } = first;
  throw new SettingsError(`${file}:${line}:${column}: ${message}`, hint, { diagnostics, source });
}
