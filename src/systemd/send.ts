import { execFile } from 'node:child_process';
import process from 'node:process';

/** systemd answers within milliseconds; a manager that is being re-executed takes longer. */
const timeoutMs = 10_000;

/**
 * Sends one message of assignments (`READY=1`) to the service manager at `$NOTIFY_SOCKET`. Node has no datagram Unix sockets; systemd's own
 * tool knows path and abstract ones, and stays until the manager has read the message: it looks up whose it is by the sender's process.
 * Rejects with words when that fails, or takes 10 s.
 */
export function sendMessage(assignments: readonly string[]): Promise<void> {
  const { NOTIFY_SOCKET, PATH } = process.env;
  const options = { env: { NOTIFY_SOCKET, PATH }, timeout: timeoutMs, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', ['--', ...assignments], options, (error, _output, errors) => {
      if (error) reject(new Error(errors.trim() || error.message));
      else resolve();
    });
  });
}
