import type { RevisionFact } from '../revisions/types.ts';
import type { RolloutFact } from '../rollout/types.ts';

/**
 * What has happened to revisions, releases and votes: in the past tense, as plain data. What is logged, counted, kept in the ledger,
 * noted and reported elsewhere is each one function of a fact, and nothing else writes these. (A stream's facts, thousands for each
 * release, are the third machine's: `StreamAction`.)
 */
export type Fact = RevisionFact | RolloutFact;

export type FactOf<T extends Fact['type']> = Extract<Fact, { readonly type: T }>;
