import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { compileSchema } from '../../src/config/schema.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { Judge } from '../../src/judge/judge.ts';
import { compileRelease, toFields } from '../../src/release/compile.ts';
import { contentFromJson } from '../../src/release/content.ts';
import { encodeLayer } from '../../src/release/layer.ts';

const validate = compileSchema(null);
const layer = { resource: 'runtime', encoding: 'auto' } as const;
const options = { file: 'f.yaml', validate, layer };
const commit = { version: 'v', subject: 's' };
const flood = (unit: string): Buffer => Buffer.from(unit.repeat(Math.floor(1_980_000 / unit.length)));
/** Valid, but with white space that only the close reading takes. */
const slowly = (customers: number): Buffer =>
  Buffer.from(
    `shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2\n  customer: {\n${Array.from({ length: customers }, (_, at) => `    c${at}: {shard_size: 1}`).join(',\n')} }\n`,
  );
const quickly = (customers: number): Buffer =>
  Buffer.from(
    `shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2\n  customer:\n${Array.from({ length: customers }, (_, at) => `    c${at}: {shard_size: 1}\n`).join('')}runtime:\n  a: 1.5\n  b: some words\n`,
  );

describe('a file that is made to cost', () => {
  const judge = new Judge(options);
  after(() => judge.close());
  const codes = async (bytes: Buffer): Promise<string[]> => (await judge.check(bytes)).map(({ code }) => code);

  // how many errors the YAML library collects is bounded: without that, these take 50 s and 16 s
  it('is told its first fault, {} or ] a million times', async () => {
    assert.deepEqual(await codes(flood('{}')), ['yaml-syntax']);
    assert.deepEqual(await codes(flood(']')), ['yaml-syntax']);
  });

  for (const unit of ['! ', '*a ', '& ', '[[],', '- x\n', '?\n', ': ', '"', 'a: &a b\n'])
    it(`is invalid, ${JSON.stringify(unit)} over and over`, async () => {
      assert.notDeepEqual(await codes(flood(unit)), []);
    });
});

describe('the limits of reading', () => {
  it('end a file that takes too long, remember it, and go on with the next', async () => {
    await using judge = new Judge({ ...options, limits: { timeMs: 300, heapMb: 512 } });
    const [diagnostic] = await judge.check(slowly(100_000));
    assert.equal(diagnostic?.code, 'too-costly');
    assert.equal(diagnostic.message, 'reading the file takes more than 0.3 s');
    assert.deepEqual(await judge.check(slowly(100_000)), [diagnostic]);
    assert.deepEqual(await judge.check(quickly(1_000)), []);
  });

  it('end a file that takes too much memory, and go on with the next', async () => {
    await using judge = new Judge({ ...options, limits: { timeMs: 60_000, heapMb: 48 } });
    const [diagnostic] = await judge.check(slowly(100_000));
    assert.equal(diagnostic?.message, 'reading the file takes more than 48 MB');
    assert.deepEqual(await judge.check(quickly(1_000)), []);
  });

  it('leave the event loop alone meanwhile', async () => {
    await using judge = new Judge(options);
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    const diagnostics = await judge.check(flood(': '));
    clearInterval(counting);
    assert.notDeepEqual(diagnostics, []);
    assert.ok(turns > 10, `${turns} turns`);
  });

  it('close at once, whatever is being read', async () => {
    const judge = new Judge(options);
    const reading = assert.rejects(judge.check(flood(': ')), /the reader is closed/);
    await judge.close();
    await reading;
    await assert.rejects(judge.check(flood(': ')), /the reader is closed/);
  });
});

it('a release comes out of the thread as it would be made here', async () => {
  await using judge = new Judge(options);
  for (const customers of [3, 9_000]) {
    const bytes = quickly(customers);
    const { config } = parseConfig(bytes, options);
    assert.ok(config);
    const release = compileRelease(config, commit);
    const judged = await judge.release(bytes, commit);
    assert.deepEqual(judged.release, release);
    assert.deepEqual([...toFields(judged.release)], [...toFields(release)]);
    if (judged.resource) assert.ok(encodeLayer(release, layer).equals(judged.resource));
    assert.equal(judged.resource === null, customers === 3);
    assert.deepEqual(contentFromJson(judged.content), { config });
    assert.equal(judged.digest, createHash('sha256').update(judged.content).digest('hex'));
  }
});

it("a schema of the user's own is applied in the thread, to a small file too", async () => {
  const own = compileSchema({ type: 'object', required: ['owner'] });
  await using judge = new Judge({ ...options, validate: own });
  const [diagnostic] = await judge.check(quickly(1));
  assert.equal(diagnostic?.message, 'the file lacks the key "owner"');
  assert.deepEqual(await judge.check(Buffer.concat([quickly(1), Buffer.from('  n: .inf\nowner: me\n')])), []);
  const { release } = await judge.release(Buffer.concat([quickly(1), Buffer.from('  n: .inf\nowner: me\n')]), commit);
  assert.equal(release?.config.runtime.get('n'), Infinity);
});
