import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { boundConnections } from '../../src/http/connections.ts';

/** No second machine calls here, so the sockets are made up. */
class FakeSocket extends EventEmitter {
  destroyed = false;
  readonly remoteAddress: string | undefined;
  constructor(remoteAddress: string | undefined) {
    super();
    this.remoteAddress = remoteAddress;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

test('one address has so many connections, and the others and loopback still get theirs', () => {
  const server = Object.assign(new EventEmitter(), { maxConnections: 0 });
  const warnings: string[] = [];
  boundConnections(server, (words) => warnings.push(words));
  const connect = (address?: string): FakeSocket => {
    const socket = new FakeSocket(address);
    server.emit('connection', socket);
    return socket;
  };
  const [first] = Array.from({ length: 50 }, () => connect('192.0.2.1'));
  assert.deepEqual([connect('192.0.2.1').destroyed, connect('192.0.2.1').destroyed], [true, true]);
  assert.deepEqual(warnings, ['http: 192.0.2.1 has 50 connections open, more are turned away']);
  for (const other of ['192.0.2.2', '127.0.0.1', '::ffff:127.0.0.1', '::1', undefined])
    assert.equal(connect(other).destroyed, false, other);
  assert.ok(Array.from({ length: 60 }, () => connect('127.0.0.1')).every(({ destroyed }) => !destroyed));
  first!.destroy();
  assert.equal(connect('192.0.2.1').destroyed, false);
  assert.equal(connect('192.0.2.1').destroyed, true);
});
