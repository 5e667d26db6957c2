import { createInterface } from 'node:readline';

/** Prints the port, and calls back with the number in each line of stdin; returns at its end. */
export async function serveCommands(port: number, change: (release: number) => void): Promise<void> {
  process.stdout.write(`listening ${port}\n`);
  for await (const line of createInterface({ input: process.stdin })) change(Number(line));
}
