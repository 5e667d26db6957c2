import type { Diagnostic } from './diagnostic.ts';

/** A diagnostic without its file. */
export type Located = Omit<Diagnostic, 'file'>;

/** Keys from the root of the document to a value; a list index is a decimal string. */
export type Path = readonly string[];

/** A fault in the data; place.ts turns its path into a line and a column. */
export interface Fault extends Pick<Diagnostic, 'code' | 'message' | 'hint'> {
  readonly path: Path;
  /** Whether the fault is in the key at `path` or in its value. */
  readonly at: 'key' | 'value';
}
