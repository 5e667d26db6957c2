import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blankUsers, Secrets } from '../src/secrets.ts';

test('a secret is blanked as it is, and encoded in any way', () => {
  const secrets = new Secrets();
  secrets.learn("s3/cret (it's)", 'me');
  const forms = [
    "s3/cret (it's)",
    "s3%2Fcret%20(it's)",
    's3%2Fcret%20%28it%27s%29',
    's3%2fcret%20%28it%27s%29',
    "s3%2Fcret+(it's)",
    Buffer.from("me:s3/cret (it's)").toString('base64'),
    Buffer.from("s3/cret (it's)").toString('base64'),
  ];
  for (const form of forms) assert.equal(secrets.redact(`fatal: ${form} refused`), 'fatal: *** refused', form);
});

test('of a URL the password is learnt, and a user that must be a token', () => {
  const secrets = new Secrets();
  secrets.learnUrl('https://me:pass%2Fword@host/x');
  secrets.learnUrl('https://ghp_0123456789abcdefghij@host/x');
  secrets.learnUrl('ssh://git@host/x');
  assert.equal(
    secrets.redact('me pass/word pass%2Fword pass%2fword ghp_0123456789abcdefghij git'),
    'me *** *** *** *** git',
  );
});

test('a secret that was rotated is still one; what is too short to be one blanks no words', () => {
  const secrets = new Secrets();
  for (const each of ['first-one', 'second-one', 'a', '']) secrets.learn(each);
  assert.equal(secrets.redact('a first-one, a second-one'), 'a ***, a ***');
});

test('of a text that was cut off, the beginning of a secret at its end is blanked too', () => {
  const secrets = new Secrets();
  secrets.learn('0123456789');
  for (let length = 4; length <= 10; length += 1)
    assert.equal(secrets.redactCut(`it is ${'0123456789'.slice(0, length)}`), 'it is ***');
  assert.equal(secrets.redactCut('it is 012'), 'it is 012');
});

test('very many secrets: the newest are known, and the work has a bound', () => {
  const secrets = new Secrets();
  for (let at = 0; at < 50_000; at += 1) secrets.learn(`secret-number-${at}-`);
  assert.equal(secrets.redact('it is secret-number-49999-'), 'it is ***');
});

test("the user part of any URL is blanked, whoever's it is", () => {
  assert.equal(
    blankUsers("unable to access 'https://other:pass@host/x': no"),
    "unable to access 'https://***@host/x': no",
  );
  assert.equal(blankUsers('ssh://git@host/x and a@b'), 'ssh://***@host/x and a@b');
});
