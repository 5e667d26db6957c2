import { readFileSync } from 'node:fs';

/** What a process needs beside one file for each node. */
const SPARE = 200;

/** Throws with what to do when this process, and so its children, may not open a file for each node (proc(5): limits). */
export function checkFiles(nodes: number): void {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  if (hard === 'unlimited' || Number(hard) >= nodes + SPARE) return;
  // Node and Go raise the soft limit to the hard one by themselves.
  throw new Error(
    `${nodes} nodes need ${nodes + SPARE} open files in each process, and ${hard} are allowed: ulimit -Hn ${nodes + SPARE} as root, or leave the row out with --rows`,
  );
}
