/** A small service under systemd: keeps a ledger in its state directory, runs git, and tells the manager how it is. */
import { execFileSync } from 'node:child_process';
import { openLedger } from '../../../src/ledger/ledger.ts';
import { createNotifier } from '../../../src/systemd/notify.ts';

const notifier = createNotifier((text) => {
  throw new Error(text);
});
const ledger = openLedger({ directory: process.env.STATE_DIRECTORY ?? '' });
ledger.record({ type: 'tip', commit: 'a'.repeat(40) });
execFileSync('git', ['--version']);
let reloads = 0;

function say(): void {
  notifier.status(`ledger ${ledger.health.ok ? 'ok' : ledger.health.reason}, ${reloads} reloads`);
  notifier.ready();
}

process.on('SIGHUP', () => {
  reloads += 1;
  notifier.reloading();
  say();
});
process.on('SIGTERM', () => {
  void notifier.stopping().then(() => process.exit(0));
});
setInterval(() => undefined, 1000);
say();
