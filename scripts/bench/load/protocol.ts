/** Messages from the benchmark to its load generator. */
export type LoadCommand =
  | {
      readonly type: 'connect';
      readonly port: number;
      readonly nodes: number;
      /** They never read. */
      readonly silent?: boolean;
      /** All connections are opened in one go. */
      readonly atOnce?: boolean;
    }
  /** Report when all nodes have this version; null: the next one, whatever it is. */
  | { readonly type: 'expect'; readonly version: string | null }
  /** Open streams of load reports, as `reporter.ts` has them. */
  | { readonly type: 'open_reports'; readonly port: number; readonly nodes: number; readonly nodeBytes: number }
  /** Send reports at this interval; 0: none. */
  | { readonly type: 'report'; readonly everyMs: number }
  | { readonly type: 'disconnect' };

/** Messages from the load generator to the benchmark. */
export type LoadReport =
  /** All nodes have their first response. */
  | { readonly type: 'joined'; readonly ms: number }
  | { readonly type: 'expecting' }
  /** The last node has the version. `at`: when, see clock.ts; `ms`: since it was expected. */
  | { readonly type: 'reached'; readonly version: string; readonly at: number; readonly ms: number }
  /** All streams of load reports are answered. */
  | { readonly type: 'reports_open' }
  /** `late`: reports that have not left yet. */
  | { readonly type: 'reporting'; readonly late: number }
  | { readonly type: 'disconnected' }
  /** A server dropped a node: the measurement is void. */
  | { readonly type: 'lost'; readonly reason: string };
