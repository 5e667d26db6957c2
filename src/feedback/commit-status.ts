import { prefixOf, type Diagnostic } from '../config/diagnostic.ts';
import { printable } from '../config/words.ts';
import type { Outcome } from '../rollout/types.ts';

/** The state of a revision, as the daemon knows it. */
export interface RevisionReport {
  readonly version: string;
  /** Null: it is being rolled out. */
  readonly outcome: Outcome | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Where a gradual rollout is, in words. */
  readonly progress?: string;
  /** Nodes. */
  readonly counts: { readonly connected: number; readonly acked: number; readonly unanswered: number };
}

/** `pending`: not decided yet; `canceled`: superseded before it was. */
export type StatusState = 'pending' | 'success' | 'failure' | 'canceled';

/** The status that a git host is to show for a commit. */
export interface CommitStatus {
  readonly version: string;
  readonly state: StatusState;
  /** One line. */
  readonly description: string;
}

/** Translates a report into a git host's terms. */
export function toCommitStatus(report: RevisionReport): CommitStatus {
  return { version: report.version, state: stateOf(report.outcome), description: printable(describe(report)) };
}

function stateOf(outcome: Outcome | null): StatusState {
  switch (outcome) {
    case null:
    case 'held':
      return 'pending';
    case 'live':
      return 'success';
    case 'invalid':
    case 'rolled_back':
      return 'failure';
    case 'superseded':
      return 'canceled';
  }
}

function describe({ outcome, counts, diagnostics, progress }: RevisionReport): string {
  switch (outcome) {
    case null:
      return `rolling out: ${progress ?? tally(counts)}`;
    case 'live':
      return counts.connected === 0 ? 'live; no Envoy was connected to try it' : `live: ${tally(counts)}`;
    case 'invalid':
    case 'held':
      return located(diagnostics) ?? outcome;
    case 'rolled_back':
      return `rolled back; ${located(diagnostics) ?? 'an Envoy refused it'}`;
    case 'superseded':
      return 'a newer commit took its place before it was rolled out';
  }
}

function tally({ acked, connected, unanswered }: RevisionReport['counts']): string {
  return `acked ${acked} of ${connected}${unanswered === 0 ? '' : `, ${unanswered} unanswered`}`;
}

/** The place comes first, since a long description is cut at its end. */
function located(diagnostics: readonly Diagnostic[]): string | null {
  const [first] = diagnostics;
  if (first === undefined) return null;
  const others = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : '';
  return `${prefixOf(first)}${first.message}${others}`;
}
