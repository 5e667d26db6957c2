/** Requests that nodes have finished, and how many of them failed: 5xx, resets and time-outs, as Envoy's load reports count them. */
export interface Sums {
  readonly requests: number;
  readonly errors: number;
}
