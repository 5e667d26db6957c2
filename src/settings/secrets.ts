import { readFileSync } from 'node:fs';
import { Secrets } from '../secrets.ts';
import type { Settings } from './settings.ts';

/** All secrets that the settings hold or name, as they are now; whoever reads a file anew teaches what it finds. */
export function secretsOf({ repository, status, http }: Settings): Secrets {
  const secrets = new Secrets();
  const { remote } = repository;
  for (const url of [remote?.url, remote?.proxy, status?.url]) if (url) secrets.learnUrl(url);
  for (const line of read(remote?.credentialsFile).split(/\r?\n/)) secrets.learnUrl(line);
  for (const file of [status?.tokenFile, ...Object.values(http.webhooks)]) secrets.learn(read(file).trim());
  return secrets;
}

/** A file that can't be read has nothing to give away; whoever needs it says so. */
function read(path: string | null | undefined): string {
  try {
    return path ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}
