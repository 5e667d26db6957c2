import { describeCustomers } from './describe-wave.ts';
import { prefixOf } from '../config/diagnostic.ts';
import { because, printable } from '../config/words.ts';
import type { RevisionReport } from '../feedback/commit-status.ts';
import type { Head } from '../revisions/state.ts';
import { diagnose } from '../rollout/diagnose.ts';
import { duration } from './describe-plan.ts';
import type { Counts, WaveProgress } from '../rollout/types.ts';
import type { Fact, FactOf } from '../state/facts.ts';
import { describeWait } from './log-rollout.ts';

/** A revision's state, for git notes and commit statuses. */
export interface Report extends RevisionReport {
  readonly counts: Counts;
}

type WaveFact = FactOf<'offered' | 'baking' | 'wave_waits' | 'paused' | 'resumed'>;

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
    case 'settled':
      return head?.version === fact.version && fact.wave == null ? { ...head, counts: fact.counts } : null;
    case 'offered':
    case 'baking':
    case 'wave_waits':
    case 'paused':
    case 'resumed':
      return head?.version === fact.version ? { ...head, counts: now(), ...progressOf(fact, now()) } : null;
    default:
      return null;
  }
}

/** Where a gradual rollout is, in a few words; {} of one that is for everyone at once. */
function progressOf(fact: WaveFact, { connected }: Counts): Pick<Report, 'progress'> {
  switch (fact.type) {
    case 'offered':
      return fact.wave === null ? {} : { progress: describeProgress(fact.wave, connected) };
    case 'baking':
      return {
        progress: `${describeProgress(fact.wave, connected)}, ${fact.ms > 0 ? `baking ${duration(fact.ms)}` : 'its checks do not pass'}`,
      };
    case 'wave_waits':
      return { progress: `wave ${fact.wave.wave} of ${fact.wave.waves} waits for ${describeWait(fact)}` };
    case 'paused':
      return { progress: `paused by ${fact.by}${because(fact.why)}` };
    case 'resumed':
      return { progress: `resumed by ${fact.by}` };
  }
}

function describeProgress({ wave, waves, nodes, customers }: WaveProgress, connected: number): string {
  const some = customers === null ? '' : `, ${describeCustomers(customers)}`;
  return `wave ${wave} of ${waves}: ${nodes} of ${connected} nodes${some}`;
}

const none: Counts = { connected: 0, acked: 0, pending: 0, refusing: 0, unanswered: 0 };

/** What `git log --notes=shardplane` shows beside the commit. */
export function toNote({ outcome, diagnostics, counts, progress }: Report): string {
  if (outcome === null && progress !== undefined) return `rolling out: ${printable(progress)}`;
  const { acked, connected } = counts;
  const answers = connected === 0 ? ': no Envoy was connected' : `: acknowledged by ${acked} of ${connected}`;
  const faults = diagnostics.map((each) => `${printable(prefixOf(each))}${printable(each.message)}`);
  return [`${outcome ?? 'pending'}${outcome === 'live' ? answers : ''}`, ...faults].join('\n');
}
