import { parentPort, workerData } from 'node:worker_threads';
import { contentFromJson } from '../release/content.ts';
import { LedgerError } from './ledger-error.ts';
import { SqliteStore } from './sqlite/sqlite-store.ts';
import type { StoredRelease } from './store.ts';
import type { StoreCall, Message, SentRelease, ThreadedBatch, ThreadOptions } from './threaded-store.ts';

// The thread of threaded-store.ts: a disk that is slow or hangs must not block the event loop of the daemon.

const store = new SqliteStore({ ...(workerData as ThreadOptions), notice: (notice) => send({ notice }) });
/** The releases of the last batch: later batches name them by version. */
let known = new Map<string, StoredRelease>();
let turn = Promise.resolve();

parentPort?.on('message', (call: StoreCall) => {
  turn = turn.then(() => answer(call));
});

async function answer({ id, method, argument }: StoreCall): Promise<void> {
  try {
    send({ id, result: await run(method, argument) });
  } catch (error) {
    const { message } = error as Error;
    send({ id, message, ledger: error instanceof LedgerError ? { code: error.code, hint: error.hint } : null });
  }
}

function run(method: StoreCall['method'], argument: unknown): Promise<unknown> {
  if (method !== 'commit') return (store[method] as (argument: unknown) => Promise<unknown>).call(store, argument);
  const { releases, ...batch } = argument as ThreadedBatch;
  const all = releases.map((each) => (typeof each === 'string' ? known.get(each) : toStored(each)));
  const named = all.filter((release) => release !== undefined);
  known = new Map(named.map((each) => [each.release.version, each]));
  return store.commit({ ...batch, releases: named });
}

function toStored({ version, subject, resource, content }: SentRelease): StoredRelease {
  return { release: { version, subject, ...contentFromJson(content) }, resource, content };
}

function send(message: Message): void {
  parentPort?.postMessage(message);
}
