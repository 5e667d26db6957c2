import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runSoak } from '../../scripts/soak/soak.ts';
import { storm } from './storm.ts';

const seed = Number(process.env.SOAK_SEED ?? 4);

describe('over time', { concurrency: true }, () => {
  // The long one is `npm run soak`. What must hold at the end is checked in runSoak.
  test(`nodes that misbehave for 20 s, a commit a second (SOAK_SEED=${seed})`, async (t) => {
    const report = await runSoak({ seconds: 20, seed, nodes: 60, say: (words) => t.diagnostic(words) });
    t.diagnostic(JSON.stringify(report));
    const { deeds, commits, outcomes } = report;
    // It must have been a soak: each kind of trouble was there, and yet something went live.
    for (const [deed, times] of Object.entries(deeds)) assert.ok(times > 0, deed);
    assert.ok(commits.valid > 0 && commits.invalid > 0);
    assert.ok((outcomes['live'] ?? 0) > 0 && (outcomes['invalid'] ?? 0) > 0);
  });

  for (const dialect of ['sotw', 'delta'] as const)
    for (const others of [0, 3])
      test(`a client that refuses all it gets for 30 s, ${dialect}, beside ${others} that accept`, async (t) => {
        const pushes = await storm({ dialect, others });
        t.diagnostic(`pushes after each commit: ${pushes.join(' ')}`);
        assert.ok(pushes.every((count) => count <= 3));
        assert.ok(pushes.slice(1).every((count) => count >= 1));
      });
});
