import '../../../src/cli/heap.ts';
import { openDaemon } from '../../../src/daemon/daemon.ts';
import { createLog } from '../../../src/daemon/log.ts';
import { contentToJson } from '../../../src/release/content.ts';
import { serveCommands } from './commands.ts';
import { makeConfig, makeRelease } from './release.ts';
import { daemonFolder } from './folder.ts';

// The real daemon, except that its releases come from the benchmark's config instead of git, parse and compile (path.ts
// measures those). The rest is real: rollout, encoding, xDS, log, metrics and ledger. Started as `shardplane.ts KEYS`; see commands.ts.

await using folder = await daemonFolder();
const config = makeConfig(Number(process.argv[2]));
const content = contentToJson({ config });
const daemon = await openDaemon(folder.settings, createLog(folder.settings.log, process.stderr));
release(0);
const { xdsPort } = await daemon.start();
await serveCommands(xdsPort, release);
await daemon.stop();

function release(number: number): void {
  const made = makeRelease(config, number);
  daemon.parts.releases.put({ release: made, resource: null, content });
  daemon.parts.inbox.put({ type: 'release', at: Date.now(), version: made.version });
}
