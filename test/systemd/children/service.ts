/** A small service under systemd: keeps a ledger in its state directory, runs git, and tells the manager how it is. */
import { execFileSync } from 'node:child_process';
import { Journal } from '../../../src/ledger/journal.ts';
import { openStore } from '../../../src/ledger/ledger.ts';
import { createNotifier } from '../../../src/systemd/notify.ts';

const notifier = createNotifier((text) => {
  throw new Error(text);
});
const journal = new Journal({ store: openStore({ directory: process.env.STATE_DIRECTORY ?? '' }), now: Date.now });
await journal.load();
journal.begin({
  state: () => ({
    memory: {
      revisions: { taken: 'a'.repeat(40), head: null, accepted: [], contents: [] },
      rollout: { live: null, candidate: null, pins: [], muted: [], pushes: 0, members: [], settled: null },
    },
    releases: [],
  }),
  onHealth: () => undefined,
  onLateLoad: () => undefined,
});
await journal.flush();
execFileSync('git', ['--version']);
let reloads = 0;

function say(): void {
  const { health } = journal;
  notifier.status(`ledger ${health.ok ? 'ok' : health.reason}, ${reloads} reloads`);
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
