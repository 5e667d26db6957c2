import process from 'node:process';
import type { FromHelper, ToHelper } from './helper.ts';
import { runProcess } from './run-process.ts';

// The process of helper.ts: runs what the daemon asks for, each program with its limits, and ends with the daemon.

const running = new Map<number, AbortController>();

process.on('message', (message: ToHelper) => {
  if (message.type === 'abort') running.get(message.id)?.abort();
  else void run(message);
});

// Also when the daemon was killed: nothing that it has started may outlive it.
process.on('disconnect', () => {
  for (const stop of running.values()) stop.abort();
  process.exit();
});

// A service manager signals the whole group; the daemon still needs git to shut down.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

async function run({ id, call }: ToHelper & { type: 'run' }): Promise<void> {
  const stop = new AbortController();
  running.set(id, stop);
  const onStart = (pid: number): void => answer({ type: 'started', id, pid });
  const end = await runProcess(call, { signal: stop.signal, onStart });
  running.delete(id);
  answer({ type: 'ended', id, end });
}

/** An error means that the daemon is gone: `disconnect` says so, too. */
function answer(message: FromHelper): void {
  process.send?.(message, undefined, undefined, () => undefined);
}
