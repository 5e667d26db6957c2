import { readFileSync } from 'node:fs';

/** Open files that a process needs besides one for each node. */
const SPARE = 200;

/** Throws, with a remedy, if this process and its children can't open a file for each node (proc(5): limits). */
export function checkFiles(nodes: number): void {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  if (hard === 'unlimited' || Number(hard) >= nodes + SPARE) return;
  // Node and Go raise the soft limit to the hard one themselves.
  throw new Error(
    `${nodes} nodes need ${nodes + SPARE} open files in each process, and ${hard} are allowed: ulimit -Hn ${nodes + SPARE} as root, or leave the row out with --rows`,
  );
}
