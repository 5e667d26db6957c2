import type { Fault, Path } from '../config/fault.ts';

/** A fault of the value at `path`. */
export function fault(path: Path, message: string, hint: string): Fault {
  return { code: 'schema', path, at: 'value', message, hint };
}
