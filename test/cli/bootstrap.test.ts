import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toAdmin, toEndpoints, toListen, toXds } from '../../src/cli/bootstrap-rules.ts';
import { CliError } from '../../src/cli/exit.ts';

/** What is said of it, and the hint. */
function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof CliError && error.exitCode === 2, String(error));
    assert.ok(error.hint, error.message);
    return `${error.message}; ${error.hint}`;
  }
  assert.fail('it was taken');
}

test('--endpoints: in hosts mode a name is refused, since Envoy would answer every request with 503', () => {
  assert.match(
    refusal(() => toEndpoints('10.0.0.1:80,localhost:1', 'hosts')),
    /^--endpoints: "localhost:1" is not an IP address; .*--mode clusters/,
  );
  assert.deepEqual(toEndpoints('localhost:1,[::1]:2', 'clusters'), [
    { host: 'localhost', port: 1 },
    { host: '::1', port: 2 },
  ]);
  for (const mode of ['hosts', 'clusters'] as const)
    for (const text of ['', '10.0.0.1', '10.0.0.1:0', '10.0.0.256:1', '10.0.0.1:1,', '10.0.0.1:1,10.0.0.1:1'])
      assert.match(
        refusal(() => toEndpoints(text, mode)),
        /^--endpoints: "/,
        text,
      );
  assert.match(
    refusal(() => toEndpoints('[0:0::1]:80', 'hosts')),
    /is not how Envoy writes this address; write \[::1\]$/,
  );
});

test('--listen: a name is refused, since Envoy would not start', () => {
  assert.match(
    refusal(() => toListen('localhost:1')),
    /^--listen: "localhost:1" is a name.*as in --listen 127\.0\.0\.1:10000/,
  );
  assert.deepEqual(toListen('[::]:10000'), { host: '::', port: 10000 });
  for (const text of ['', '10000', ':10000', '127.0.0.1:0', '127.1:80']) refusal(() => toListen(text));
});

test('--admin: an address is not taken for a path', () => {
  for (const text of ['127.0.0.1:9901', 'localhost:9901', '[::1]:9901', ':9901', '9901'])
    assert.match(
      refusal(() => toAdmin(text)),
      /is a TCP address, .* --admin \/run\/envoy\/admin\.sock/,
      text,
    );
  for (const text of ['', '/tmp/', '@envoy', `/${'a'.repeat(107)}`]) refusal(() => toAdmin(text));
  for (const text of ['admin.sock', '/run/a:1', `/${'a'.repeat(106)}`]) assert.equal(toAdmin(text), text);
});

test('--xds: one daemon or several, none of them twice', () => {
  assert.deepEqual(toXds('plane.example:1,[::1]:2'), [
    { host: 'plane.example', port: 1 },
    { host: '::1', port: 2 },
  ]);
  for (const text of ['', 'a', 'a:0', 'a:1,', 'a:1,a:1', '0.0.0.0:1', '[::]:1', '1.2.3:1']) refusal(() => toXds(text));
});
