import type { Diagnostic } from './diagnostic.ts';

/** A diagnostic that doesn't know its file yet. */
export type Located = Omit<Diagnostic, 'file'>;

/** Keys from the root of the document to a value; the index of a list's item is written as a decimal. */
export type Path = readonly string[];

/** What is wrong with the data, and where in it: place.ts turns the path into a line and a column. */
export interface Fault extends Pick<Diagnostic, 'code' | 'message' | 'hint'> {
  readonly path: Path;
  /** Whether the key at `path` is at fault or the value that it holds. */
  readonly at: 'key' | 'value';
}
