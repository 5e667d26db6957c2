import { setTimeout as sleep } from 'node:timers/promises';
import { LoadNode, type Answer } from '../../scripts/bench/load/node.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';

/** How long one client refuses all it gets, and how often something new is committed meanwhile. */
const STORM_MS = 30_000;
const COMMIT_MS = 5_000;

const config = (hosts: number): Record<string, string> => ({
  'shard-config.yaml': `shuffle_sharding: {total_hosts: ${hosts}, default_shard_size: 2}\n`,
});

export interface Storm {
  readonly dialect: 'sotw' | 'delta';
  /** Nodes beside it, which accept all they get. */
  readonly others: number;
}

/** One client refuses all it gets for 30 s. Returns how many pushes it got in the 5 s after each commit. */
export async function storm({ dialect, others }: Storm): Promise<number[]> {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const first = await repository.commit(config(8));
  await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
  await daemon.waitForLive(first);
  const lost: string[] = [];
  const onClose = (reason: string) => lost.push(reason);
  const connect = (id: string, onResponse: () => Answer) =>
    new LoadNode({ port: daemon.xdsPort, id, dialect, onResponse, onClose });
  const nodes = Array.from({ length: others }, (_, at) => connect(`good-${at}`, () => 'ack'));
  if (others > 0) await daemon.waitFor('an accepted release', ({ live }) => live?.proven);
  let received = 0;
  nodes.push(
    connect('refuser', () => {
      received += 1;
      return { refusal: 'no' };
    }),
  );
  await until('the first push', () => received > 0);
  const pushes: number[] = [];
  for (let elapsed = 0; elapsed < STORM_MS; elapsed += COMMIT_MS) {
    const before = received;
    if (elapsed > 0) await repository.commit(config(8 + elapsed / COMMIT_MS));
    await sleep(COMMIT_MS); // what is asked is that nothing more comes in all of this time
    pushes.push(received - before);
  }
  if (lost.length > 0) throw new Error(`a stream was lost: ${lost.join(', ')}`);
  for (const node of nodes) node.close();
  return pushes;
}
