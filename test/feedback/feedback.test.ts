import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import test from 'node:test';
import type { FeedbackOptions } from '../../src/feedback/feedback.ts';
import { createFeedback } from '../../src/feedback/feedback.ts';
import type { ProviderName } from '../../src/feedback/providers.ts';
import type { RevisionReport } from '../../src/feedback/commit-status.ts';
import type { Host } from './host.ts';
import { answer, startHost, token, until } from './host.ts';

const timeout = 60_000;
const none = { connected: 2, acked: 0, unanswered: 0 };
const all = { connected: 2, acked: 2, unanswered: 0 };

function sha(n: number): string {
  return n.toString(16).padStart(40, '0');
}

function report(n: number, outcome: RevisionReport['outcome'], counts = all): RevisionReport {
  return { version: sha(n), outcome, diagnostics: [], counts };
}

/** Feedback to a host, and the problems that it speaks of (null: it is well again). */
function connect(t: TestContext, host: Host, provider: ProviderName, options: Partial<FeedbackOptions> = {}) {
  const problems: (string | null)[] = [];
  const feedback = createFeedback({
    provider,
    url: host.url,
    context: 'shardplane',
    tokenFile: host.tokenFile,
    onProblem: (words) => problems.push(words),
    paceMs: 1,
    ...options,
  });
  t.after(() => feedback.stop());
  t.after(() => {
    for (const problem of problems) assert.doesNotMatch(problem ?? '', new RegExp(token), 'the token is in no message');
  });
  return { feedback, problems };
}

for (const provider of ['github', 'gitlab', 'gitea'] as const) {
  test(`${provider}: pending while it is rolled out, then success`, { timeout }, async (t) => {
    const host = await startHost(t, provider);
    const { feedback } = connect(t, host, provider);
    feedback.report(report(1, null, none));
    await until(() => host.statuses.has(sha(1)));
    feedback.report(report(1, 'live'));
    await until(() => host.statuses.get(sha(1))?.length === 2);
    assert.deepEqual(host.statuses.get(sha(1)), ['pending rolling out: acked 0 of 2', 'success live: acked 2 of 2']);
    assert.equal(host.calls.length, 2);
  });

  test(`${provider}: a refused commit fails in Envoy's words, however long`, { timeout }, async (t) => {
    const host = await startHost(t, provider);
    const { feedback } = connect(t, host, provider);
    const message = `Envoy envoy-1 refused it: Invalid runtime entry value for a.b ${'and so on '.repeat(99)}`;
    const diagnostics = [
      { code: 'refused', message, file: 'shard-config.yaml', line: 7, column: 3, hint: null } as const,
    ];
    feedback.report({ ...report(1, 'rolled_back'), diagnostics });
    await until(() => host.statuses.has(sha(1)));
    const [status = ''] = host.statuses.get(sha(1)) ?? [];
    assert.match(
      status,
      /^fail(ed|ure) rolled back; shard-config\.yaml:7:3: Envoy envoy-1 refused it: Invalid runtime entry value for a\.b .*…$/,
    );
  });
}

test('a commit that goes live at once is one call, and what is said again is none', { timeout }, async (t) => {
  const host = await startHost(t, 'github');
  const { feedback } = connect(t, host, 'github');
  feedback.report(report(1, null, none));
  feedback.report(report(1, 'live'));
  await until(() => host.statuses.has(sha(1)));
  feedback.report(report(1, 'live'));
  feedback.report(report(2, 'live'));
  await until(() => host.statuses.has(sha(2)));
  assert.equal(host.calls.length, 2);
});

test('overtaken commits are no news, unless they were pending there', { timeout }, async (t) => {
  const host = await startHost(t, 'gitlab');
  const { feedback } = connect(t, host, 'gitlab');
  feedback.report(report(1, null, none));
  await until(() => host.statuses.has(sha(1)));
  for (let n = 1; n < 500; n += 1) feedback.report(report(n, 'superseded'));
  feedback.report(report(500, 'live'));
  await until(() => host.statuses.has(sha(500)) && host.statuses.get(sha(1))?.length === 2);
  assert.match(host.statuses.get(sha(1))?.[1] ?? '', /^canceled /);
  assert.equal(host.statuses.size, 2);
});

test('GitLab refuses pending on pending after a restart: taken as done', { timeout }, async (t) => {
  const host = await startHost(t, 'gitlab');
  for (let run = 0; run < 2; run += 1) {
    const { feedback, problems } = connect(t, host, 'gitlab');
    feedback.report(report(1, null, none));
    await until(() => host.calls.length === run + 1 && problems.length === 1);
    assert.deepEqual(problems, [null]);
    await feedback.stop();
  }
});

test('a limit of the host is kept: nothing is sent before its time', { timeout }, async (t) => {
  const host = await startHost(t, 'github');
  const { feedback, problems } = connect(t, host, 'github');
  host.troubles.push(answer(429, { 'retry-after': '2' }, '{"message":"You have exceeded a secondary rate limit"}'));
  feedback.report(report(1, 'live'));
  await until(() => host.calls.length === 1);
  feedback.report(report(2, 'live'));
  await until(() => host.statuses.size === 2 && problems.at(-1) === null);
  assert.ok(host.calls[1]!.at - host.calls[0]!.at >= 1990, 'Retry-After says 2 seconds');
  assert.match(
    problems[0] ?? '',
    /^the commit status could not be set at github \(http:.*\/repos\/acme\/config\): it answered 429: .*rate limit/,
  );
  assert.equal(problems.at(-1), null);
});

test('5xx, a broken connection and silence are tried again', { timeout }, async (t) => {
  const host = await startHost(t, 'gitea');
  const { feedback, problems } = connect(t, host, 'gitea', { timeoutMs: 1_000 });
  host.troubles.push(
    answer(502, {}, 'Bad Gateway'),
    () => true, // never answers
  );
  feedback.report(report(1, 'live'));
  await until(() => host.statuses.has(sha(1)) && problems.at(-1) === null); // the host knows it first
  assert.equal(host.calls.length, 3);
  assert.match(problems[0] ?? '', /it answered 502: Bad Gateway$/);
  assert.match(problems[1] ?? '', /timeout/);
  assert.equal(problems.at(-1), null);
});

test('while it is tried again, the newest status of a commit takes the place of the older', { timeout }, async (t) => {
  const host = await startHost(t, 'github');
  const { feedback } = connect(t, host, 'github');
  host.troubles.push(answer(503));
  feedback.report(report(1, 'live'));
  await until(() => host.calls.length === 1);
  feedback.report(report(1, 'rolled_back'));
  await until(() => host.statuses.has(sha(1)));
  assert.deepEqual(host.statuses.get(sha(1)), ['failure rolled back; an Envoy refused it']);
});

test('what the host refuses for good is dropped, and the next goes through', { timeout }, async (t) => {
  const host = await startHost(t, 'github');
  const { feedback, problems } = connect(t, host, 'github');
  host.troubles.push(answer(422, {}, '{"message":"No commit found for SHA"}'));
  feedback.report(report(1, 'live'));
  await until(() => problems.length === 1);
  assert.match(problems[0] ?? '', /it answered 422: .*No commit found for SHA/);
  feedback.report(report(2, 'live'));
  await until(() => host.statuses.has(sha(2)));
  assert.equal(host.calls.length, 2);
});

test('no more than 100 commits wait, and the newest goes first', { timeout }, async (t) => {
  const host = await startHost(t, 'github');
  const { feedback } = connect(t, host, 'github');
  host.troubles.push(answer(429, { 'retry-after': '1' }));
  for (let n = 1; n <= 500; n += 1) feedback.report(report(n, 'invalid'));
  await until(() => host.statuses.size === 100);
  feedback.report(report(501, 'live'));
  await until(() => host.statuses.has(sha(501)));
  assert.deepEqual([...host.statuses.keys()], [...Array.from({ length: 100 }, (_, n) => sha(500 - n)), sha(501)]);
});

test('the token is read anew at each call, and a bad one stays out of the words', { timeout }, async (t) => {
  const host = await startHost(t, 'github');
  const { feedback, problems } = connect(t, host, 'github');
  writeFileSync(host.tokenFile, `${token}\u0000\u2028`);
  feedback.report(report(1, 'live'));
  await until(() => problems.length === 1);
  assert.match(problems[0] ?? '', /token holds no token: one line of printable ASCII is expected$/);
  assert.equal(host.calls.length, 0);
  writeFileSync(host.tokenFile, token);
  await until(() => host.statuses.has(sha(1)));
  rmSync(host.tokenFile);
  feedback.report(report(2, 'live'));
  await until(() => problems.at(-1) !== null);
  assert.match(problems.at(-1) ?? '', /ENOENT/);
});

test('a redirect is not followed: the token would go along', { timeout }, async (t) => {
  const [host, other] = [await startHost(t, 'gitlab'), await startHost(t, 'gitlab')];
  const { feedback, problems } = connect(t, host, 'gitlab');
  host.troubles.push((call, response) => {
    response.writeHead(307, { location: other.url + call.path }).end();
    return true;
  });
  feedback.report(report(1, 'live'));
  await until(() => problems.length === 1);
  assert.match(problems[0] ?? '', /it answered 307; the repository has moved: set the new url$/);
  assert.equal(other.calls.length, 0);
});

test('a user and a password in the url are neither used nor said', { timeout }, async (t) => {
  const host = await startHost(t, 'github');
  const { feedback, problems } = connect(t, host, 'github', {
    url: host.url.replace('http://', 'http://someone:hunter2@'),
  });
  host.troubles.push(answer(404));
  feedback.report(report(1, 'live'));
  await until(() => host.statuses.has(sha(1)));
  assert.doesNotMatch(problems.join(), /hunter2|someone/);
});

test('an endless answer is not read to its end', { timeout }, async (t) => {
  const host = await startHost(t, 'github');
  const { feedback, problems } = connect(t, host, 'github');
  let closed = false;
  host.troubles.push((_call, response) => {
    response.on('close', () => (closed = true));
    response.writeHead(422);
    const pour = () => {
      while (response.write('x'.repeat(65_536)));
    };
    response.on('drain', pour);
    pour();
    return true;
  });
  feedback.report(report(1, 'live'));
  await until(() => problems.length === 1 && closed);
  assert.ok((problems[0]?.length ?? 0) < 400);
});

test('stopping ends a call that is under way', { timeout }, async (t) => {
  const host = await startHost(t, 'github');
  const { feedback } = connect(t, host, 'github', { timeoutMs: 600_000 });
  host.troubles.push(() => true);
  feedback.report(report(1, 'live'));
  await until(() => host.calls.length === 1);
  await feedback.stop();
  feedback.report(report(2, 'live'));
  await feedback.stop();
  assert.equal(host.calls.length, 1);
});

test(
  'a host that sends our own headers back: the token is in no message, wherever it is cut',
  { timeout },
  async (t) => {
    const host = await startHost(t, 'github');
    const { feedback, problems } = connect(t, host, 'github');
    const echoes = [(given: string) => given, (given: string) => `${' '.repeat(4096 - 6 - 'Bearer '.length)}${given}`];
    for (const [at, echo] of echoes.entries()) {
      host.troubles.push(({ headers }, response) => {
        response.writeHead(422).end(echo(headers.authorization ?? ''));
        return true;
      });
      feedback.report(report(at, 'live'));
      await until(() => problems.length === at + 1);
      assert.match(problems[at] ?? '', /it answered 422: Bearer \*\*\*$/);
    }
  },
);
