import { createInterface } from 'node:readline';

/** Says where the server listens, and hands over the number in each line of stdin; ends with stdin. */
export async function serveCommands(port: number, change: (release: number) => void): Promise<void> {
  process.stdout.write(`listening ${port}\n`);
  for await (const line of createInterface({ input: process.stdin })) change(Number(line));
}
