import { readFileSync } from 'node:fs';
import { Secrets } from '../secrets.ts';
import type { Settings } from './settings.ts';

/** All secrets in the settings and the files that they name, as of now; code that re-reads a file adds what it finds. */
export function secretsOf({ repository, status, http }: Settings): Secrets {
  const secrets = new Secrets();
  const { remote } = repository;
  for (const url of [remote?.url, remote?.proxy, status?.url]) if (url) secrets.learnUrl(url);
  for (const line of read(remote?.credentialsFile).split(/\r?\n/)) secrets.learnUrl(line);
  for (const file of [status?.tokenFile, ...Object.values(http.webhooks)]) secrets.learn(read(file).trim());
  return secrets;
}

/** An unreadable file has nothing to leak; the code that needs it reports the error. */
function read(path: string | null | undefined): string {
  try {
    return path ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}
