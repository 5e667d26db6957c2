import assert from 'node:assert/strict';
import test from 'node:test';
import { toDelivery } from '../../src/feedback/delivery.ts';

const now = Date.UTC(2026, 0, 1);

function judged(status: number, headers: Record<string, string> = {}, body = '') {
  return toDelivery({ status, header: (name) => headers[name] ?? null, body }, now);
}

test('what is taken, refused for good, and tried again', () => {
  for (const status of [200, 201, 204]) assert.deepEqual(judged(status), { kind: 'accepted' });
  for (const status of [400, 422]) assert.equal(judged(status).kind, 'refused');
  for (const status of [301, 307, 401, 403, 404, 408, 500, 502, 503])
    assert.equal(judged(status).kind, 'failed', String(status));
  assert.deepEqual(judged(400, {}, '{"message":"Cannot transition status via :enqueue from :pending"}'), {
    kind: 'accepted',
  });
});

test('limits: for how long', () => {
  const limits: [number, Record<string, string>, string, number][] = [
    [429, { 'retry-after': '7' }, '', 7000],
    [429, { 'retry-after': 'Thu, 01 Jan 2026 00:01:30 GMT' }, '', 90_000],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 + 300) }, '', 300_000],
    [429, { 'ratelimit-reset': String(now / 1000 + 20) }, '', 20_000],
    [403, {}, 'You have exceeded a secondary rate limit', 60_000],
    [429, {}, '', 60_000],
    [429, { 'retry-after': 'soon' }, '', 60_000],
    [429, { 'retry-after': '0' }, '', 1000],
    [429, { 'x-ratelimit-reset': String(now / 1000 - 5) }, '', 1000],
    [429, { 'retry-after': '9999999' }, '', 3_600_000],
  ];
  for (const [status, headers, body, waitMs] of limits) {
    const delivery = judged(status, headers, body);
    assert.equal(delivery.kind, 'limited');
    assert.equal(delivery.waitMs, waitMs, JSON.stringify(headers));
  }
  assert.equal(judged(403, { 'x-ratelimit-remaining': '9' }, 'Resource not accessible').kind, 'failed');
});

test('words say what was answered and what to look at, and are short', () => {
  const words = (status: number, body = '') => {
    const delivery = judged(status, {}, body);
    return 'words' in delivery ? delivery.words : '';
  };
  assert.equal(words(500), 'it answered 500');
  assert.equal(
    words(401, '{"message":\n"Bad credentials"}'),
    'it answered 401: {"message": "Bad credentials"}; is the token valid, and may it set commit statuses?',
  );
  assert.match(words(404), /is the url right, the commit pushed, and the token allowed to see it\?$/);
  assert.match(words(301), /the repository has moved: set the new url$/);
  assert.ok(words(500, 'x'.repeat(9999)).length < 250);
});
