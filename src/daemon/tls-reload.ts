import type { Logger } from 'pino';
import type { Problems } from './problems.ts';

/** The TLS files of the xDS port have changed. `error`: why they can't be used, or null. */
export function onTlsReload(error: Error | null, log: Logger, problems: Problems): void {
  if (error === null) log.info('the TLS files have changed: new connections use them');
  const words = error && `the TLS files have changed and can't be used: ${error.message}`;
  problems.set('tls', words, 'the old ones stay in use');
}
