import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressFault } from '../../src/config/host-address.ts';

// the faults are golden in test/fixtures/config/bad-host*.txt
describe('an address that Envoy prints as it is written', () => {
  for (const address of [
    '10.0.0.1:8080',
    '127.0.0.1:1',
    '255.255.255.255:65535',
    '[::1]:80',
    '[::5]:80',
    '[2001:db8::1:0:0:1]:80',
    '[2001:db8:0:1:1:1:1:1]:80',
  ]) {
    it(address, () => assert.equal(addressFault(address), null));
  }
});

describe('another spelling, or none at all', () => {
  for (const text of [
    '[2001:db8:0:0:1::1]:80',
    '[2001:0db8::1]:80',
    '[fe80::1%eth0]:80',
    '127.1:80',
    '0x7f.0.0.1:80',
    ':',
    ']:80',
    '[',
    '',
  ]) {
    it(JSON.stringify(text), () => assert.notEqual(addressFault(text), null));
  }
});
