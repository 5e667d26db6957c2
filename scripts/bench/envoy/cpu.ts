import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that all threads of a process have used so far, in microseconds (the kernel's schedstat counts nanoseconds). */
export function cpuUs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.map((task) => threadNs(pid, task)).reduce((sum, ns) => sum + ns, 0) / 1000;
}

function threadNs(pid: number, task: string): number {
  return Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
}
