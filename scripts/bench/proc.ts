import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** CPU time of a process in milliseconds, user and system (proc(5): stat, in ticks of 10 ms). */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory of a process in MB (10^6 bytes): now, and its peak. */
export function memoryMb(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

/** Waits until the process is (nearly) idle, so that the next measurement is not disturbed; at most 10 s. */
export async function quiet(pid: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (let before = -1, still = 0; still < 3 && Date.now() < deadline;) {
    const used = cpuMs(pid);
    still = used === before ? still + 1 : 0;
    before = used;
    await sleep(30);
  }
}
