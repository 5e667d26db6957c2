import { printable } from '../config/words.ts';
import type { RevisionReport } from '../feedback/commit-status.ts';
import type { Head } from '../revisions/state.ts';
import { diagnose } from '../rollout/diagnose.ts';
import type { Counts } from '../rollout/types.ts';
import type { Fact } from '../state/facts.ts';

/** A revision's state, for git notes and commit statuses. */
export interface Report extends RevisionReport {
  readonly counts: Counts;
}

/** The report that a fact causes, or null. Progress of a push is reported for the `head` only. `now`: the current counts. */
export function toReport(fact: Fact, head: Head | null, now: () => Counts): Report | null {
  switch (fact.type) {
    case 'invalid':
    case 'held':
      return { version: fact.version, outcome: fact.type, diagnostics: fact.diagnostics, counts: none };
    case 'superseded':
      return { version: fact.version, outcome: fact.type, diagnostics: [], counts: none };
    case 'closed':
      return { version: fact.version, outcome: fact.outcome, diagnostics: [], counts: now() };
    case 'rolled_back':
    case 'still_pinned':
      return {
        ...{ version: fact.version, outcome: 'rolled_back', counts: none },
        diagnostics: [diagnose(fact.cause)],
      };
    case 'live':
      if (fact.isNew) return { version: fact.version, outcome: 'live', diagnostics: [], counts: fact.counts };
      return fact.proven && head?.version === fact.version ? { ...head, counts: fact.counts } : null;
    case 'offered':
    case 'settled':
      return head?.version === fact.version ? { ...head, counts: fact.counts } : null;
    default:
      return null;
  }
}

const none: Counts = { connected: 0, acked: 0, pending: 0, refusing: 0, unanswered: 0 };

/** What `git log --notes=shardplane` shows beside the commit. */
export function toNote({ outcome, diagnostics, counts }: Report): string {
  const { acked, connected } = counts;
  const answers = connected === 0 ? ': no Envoy was connected' : `: acknowledged by ${acked} of ${connected}`;
  const faults = diagnostics.map(
    ({ file, line, column, message }) => `${printable(file)}:${line}:${column}: ${printable(message)}`,
  );
  return [`${outcome ?? 'pending'}${outcome === 'live' ? answers : ''}`, ...faults].join('\n');
}
