import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Words when openssl is missing, for the `skip` option of a test. */
export const skipWithoutOpenssl: string | false = hasOpenssl() ? false : 'openssl is missing';

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority of its own in `folder`; the paths of what it issues are `NAME.crt` and `NAME.key` there. */
export class Authority {
  readonly certificate: string;
  readonly #folder: string;
  readonly #key: string;

  constructor(folder: string, name = 'ca') {
    this.#folder = folder;
    this.certificate = join(folder, `${name}.crt`);
    this.#key = join(folder, `${name}.key`);
    openssl(['req', '-x509', ...newKey(this.#key), '-out', this.certificate, '-days', '2', '-subj', `/CN=${name}`]);
  }

  /** Issues a certificate with these SANs, in openssl's words: `DNS:localhost`, `URI:spiffe://...`. */
  issue(name: string, ...sans: string[]): KeyPair {
    const [certificate, key, request, extensions] = ['crt', 'key', 'csr', 'ext'].map((end) =>
      join(this.#folder, `${name}.${end}`),
    );
    openssl(['req', ...newKey(key!), '-out', request!, '-subj', `/CN=${name}`]);
    writeFileSync(extensions!, `subjectAltName=${sans.join(',')}\n`);
    openssl([
      'x509',
      '-req',
      '-in',
      request!,
      '-CA',
      this.certificate,
      '-CAkey',
      this.#key,
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      extensions!,
      '-out',
      certificate!,
    ]);
    return { certificate: certificate!, key: key! };
  }

  /** Issues one that ends at `end`, to the second. */
  issueUntil(end: Date, name: string, ...sans: string[]): KeyPair {
    const pair = this.issue(name, ...sans);
    const path = (suffix: string): string => join(this.#folder, `${name}.${suffix}`);
    writeFileSync(path('txt'), '');
    writeFileSync(
      path('cnf'),
      `[ca]\ndefault_ca = it\n[it]\ndatabase = ${path('txt')}\nnew_certs_dir = ${this.#folder}\nrand_serial = yes\n` +
        `default_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n`,
    );
    const until = end.toISOString().replace(/^..|[-:T]|\..*$/g, '');
    const args = ['-batch', '-notext', '-config', path('cnf'), '-cert', this.certificate, '-keyfile', this.#key];
    const files = ['-in', path('csr'), '-extfile', path('ext'), '-out', pair.certificate];
    openssl(['ca', ...args, ...files, '-enddate', `${until}Z`]);
    return pair;
  }
}

function newKey(path: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path];
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe', timeout: 10_000 });
}
