/** Settings that cannot be used. The message names the file, the line and the setting. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly hint: string | null;

  constructor(message: string, hint: string | null) {
    super(message);
    this.hint = hint;
  }
}
