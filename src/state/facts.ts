import type { RevisionFact } from '../revisions/types.ts';
import type { RolloutFact } from '../rollout/types.ts';

/**
 * What happened to revisions, releases and votes, as plain data. Log lines, metrics, ledger rows, git notes and commit statuses are
 * each one function of a fact, and nothing else writes them. (Streams have their own, thousands for each release: `StreamAction`.)
 */
export type Fact = RevisionFact | RolloutFact;

export type FactOf<T extends Fact['type']> = Extract<Fact, { readonly type: T }>;
