import type { Diagnostic } from '../config/diagnostic.ts';
import { drawDiagnostic, hasColor } from '../terminal.ts';

/** Draws them to standard error. `source`: the file's text; null where there is none to show. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], source: Uint8Array | string | null): void {
  const text = source instanceof Uint8Array ? new TextDecoder().decode(source) : source;
  const color = hasColor(process.stderr);
  for (const diagnostic of diagnostics) process.stderr.write(`${drawDiagnostic(diagnostic, text, { color })}\n`);
}
