import { isIPv4 } from 'node:net';

/** Is this address one that only this machine reaches: loopback, or a Unix socket (`unix:PATH`)? */
export function isLoopback(address: string): boolean {
  if (isIPv4(address)) return address.startsWith('127.');
  return address === '::1' || address === 'localhost' || address.startsWith('unix:');
}
