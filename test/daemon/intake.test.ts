import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from '../../src/config/diagnostic.ts';
import { compileSchema } from '../../src/config/schema.ts';
import { evaluate } from '../../src/daemon/evaluate.ts';
import { Intake } from '../../src/daemon/intake.ts';
import type { IntakeOptions } from '../../src/daemon/intake.ts';
import type { Revision } from '../../src/git/read/revision.ts';
import { Judge } from '../../src/judge/judge.ts';
import { noLimits } from '../../src/plan/limits.ts';
import type { Release } from '../../src/release/release.ts';
import type { Standing } from '../../src/revisions/types.ts';
import type { RolloutPolicy } from '../../src/rollout/plan.ts';
import { builtinStrategies } from '../../src/rollout/strategies.ts';
import { makeConfig } from '../helpers/config.ts';
import { versionOf } from '../helpers/ids.ts';

const good = 'shuffle_sharding: {total_hosts: 8, default_shard_size: 2}\n';
const small = 'shuffle_sharding: {total_hosts: 2, default_shard_size: 2}\n';
const judge = new Judge({ file: 'f.yaml', validate: compileSchema(null) });

function revision(version: string, text: string, trailers: [string, string][] = []): Revision {
  const content = { bytes: Buffer.from(text) };
  return {
    version: versionOf(version),
    subject: version,
    author: 'A',
    committedAt: '2026-01-01T00:00:00Z',
    trailers: new Map(trailers),
    rollout: null,
    content,
  };
}

const live: Release = { version: versionOf('live'), subject: '', config: makeConfig() };

const policy: RolloutPolicy = {
  strategies: new Map(builtinStrategies.map((plan) => [plan.strategy, plan])),
  strategy: 'all-at-once',
  rules: [],
  checks: { errors: null, prometheus: [] },
  freeze: [],
};

const head: Standing = { isHead: true, isOvertaken: false, tip: 't', previous: null };
const fault = (code: Diagnostic['code']): Diagnostic => ({
  code,
  message: code,
  file: 'f',
  line: 1,
  column: 1,
  hint: null,
});

async function judgeBy(options: Partial<IntakeOptions>, each: Revision, standing = head): Promise<string> {
  const intake = new Intake({
    guard: { customers: 0.5, hosts: 0.5 },
    limits: noLimits,
    policy,
    evaluate: (it) => evaluate(it, { judge, journal: { story: () => Promise.resolve(null) } }),
    verify: () => Promise.resolve(null),
    live: () => live,
    ...options,
  });
  const { verdict, compiled } = await intake.judge(each, standing);
  assert.equal(compiled !== null, verdict.valid);
  return verdict.valid ? (verdict.shrink ?? 'valid') : verdict.diagnostics.map(({ code }) => code).join();
}

const shrinks = 'it shrinks total_hosts from 8 to 2, by more than 50 %';

test('a commit that shrinks is told, unless its trailer accepts it, or a newer one has overtaken it', async () => {
  assert.equal(await judgeBy({}, revision('a', good)), 'valid');
  assert.equal(await judgeBy({}, revision('a', small)), shrinks);
  assert.equal(await judgeBy({}, revision('a', small, [['shardplane-accept', 'Yes']])), 'valid');
  assert.equal(await judgeBy({}, revision('a', small), { ...head, isOvertaken: true }), 'valid');
  assert.equal(await judgeBy({ live: () => null }, revision('a', small)), 'valid');
});

test('a commit beyond a limit is told with the numbers, unless its trailer accepts it, or nothing is live', async () => {
  const one = 'shuffle_sharding: {total_hosts: 9, default_shard_size: 2}\n';
  const limits = { ...noLimits, moved: 0.2 };
  const words = '22.22 % of the customers change hosts, more than 20 % (plan.limits.moved)';
  assert.equal(await judgeBy({ limits }, revision('a', one)), words);
  assert.equal(await judgeBy({ limits: { ...limits, moved: 0.23 } }, revision('a', one)), 'valid');
  assert.equal(await judgeBy({ limits }, revision('a', one, [['shardplane-accept', 'yes']])), 'valid');
  assert.equal(await judgeBy({ limits, live: () => null }, revision('a', one)), 'valid');
  assert.equal(await judgeBy({ limits }, revision('a', one), { ...head, isOvertaken: true }), 'valid');
});

test('while many customers are compared, others get their turn', async () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => `customer-${i}`);
  const text = ['shuffle_sharding:', '  total_hosts: 101', '  default_shard_size: 4', '  customer:'];
  const bytes = [...text, ...ids.map((id) => `    ${id}: {shard_size: 4}`)].join('\n');
  const config = makeConfig({ totalHosts: 100, defaultShardSize: 4, customers: new Map(ids.map((id) => [id, 4])) });
  let turns = 0;
  const ticker = setInterval(() => (turns += 1), 1);
  const limits = { ...noLimits, moved: 0.01, twins: 0 };
  const given = { ...live, config };
  const said = await judgeBy({ limits, live: () => given }, revision('a', `${bytes}\n`));
  clearInterval(ticker);
  assert.match(said, /^[34]\.\d+ % of the (named )?customers change hosts, more than 1 % \(plan\.limits\.moved\)/);
  assert.ok(turns > 3, `${turns}`);
});

test('a content has one digest, in whatever commit; what is overtaken needs none', async () => {
  const digestOf = async (version: string, text: string, standing = head) => {
    const intake = new Intake({
      guard: { customers: 0.5, hosts: 0.5 },
      limits: noLimits,
      policy,
      evaluate: (it) => evaluate(it, { judge, journal: { story: () => Promise.resolve(null) } }),
      verify: () => Promise.resolve(null),
      live: () => live,
    });
    const { verdict } = await intake.judge(revision(version, text), standing);
    assert.ok(verdict.valid);
    return verdict.digest;
  };
  const digest = await digestOf('a', small);
  assert.match(String(digest), /^[0-9a-f]{64}$/);
  assert.equal(await digestOf('b', `# again\n${small}`), digest);
  assert.notEqual(await digestOf('c', good), digest);
  assert.equal(await digestOf('a', small, { ...head, isOvertaken: true }), null);
});

test('a signature that does not count is the only fault, and the file is not read', async () => {
  const asked: Standing[] = [];
  const verify: IntakeOptions['verify'] = (_version, standing) => {
    asked.push(standing);
    return Promise.resolve(fault('signature-missing'));
  };
  const evaluate = () => assert.fail('it was read');
  assert.equal(await judgeBy({ verify, evaluate }, revision('a', good)), 'signature-missing');
  assert.deepEqual(asked, [head]);
});

test('what git could not give is invalid, with git’s reason', async () => {
  const content = { fault: fault('file-not-regular') };
  assert.equal(await judgeBy({}, { ...revision('a', ''), content }), 'file-not-regular');
});
