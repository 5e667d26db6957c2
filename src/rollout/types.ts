/** What became of a revision. */
export type Outcome = 'invalid' | 'live' | 'rolled_back' | 'superseded' | 'held';

/** An Envoy's NACK, in its own words. */
export interface Refusal {
  /** xDS node.id. */
  readonly node: string;
  /** google.rpc.Status of the NACK: its code (Envoy's is always 13) and message, cut at 4 KiB. */
  readonly code: number;
  readonly message: string;
}

/** State of one node against the fleet's target. */
export type NodeState = 'pending' | 'acked' | 'refusing' | 'unanswered';
