/** Ends the demo with one line for the user, and a hint. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}
