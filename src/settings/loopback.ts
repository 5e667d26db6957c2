import { isIPv4 } from 'node:net';

/** Whether only this machine can connect to the address: loopback, or a Unix socket (`unix:PATH`). */
export function isLoopback(address: string): boolean {
  if (isIPv4(address)) return address.startsWith('127.');
  return address === '::1' || address === 'localhost' || address.startsWith('unix:');
}
