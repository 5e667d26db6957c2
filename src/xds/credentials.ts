import { ServerCredentials } from '@grpc/grpc-js';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { TlsSettings } from '../settings/settings.ts';

/** How often the certificate files are read again. Unlike watching, that notices every way to replace a file. */
const RELOAD_MS = 5_000;

/** TLS from files, read again while the server runs. */
export interface FileCredentials {
  readonly credentials: ServerCredentials;
  /** Stops reading the files. */
  readonly close: () => void;
}

export interface FileCredentialsOptions {
  readonly tls: TlsSettings;
  /** Called once for each change of the files: null if they are in use now; else why not, and the old ones stay in use. */
  readonly onReload: (error: Error | null) => void;
  readonly reloadMs?: number;
}

/**
 * Server certificate, key and client CA (PEM). New connections use the current files, open streams are left alone.
 * Rejects when the files can't be read or don't fit together.
 */
export async function loadCredentials(options: FileCredentialsOptions): Promise<FileCredentials> {
  const { tls, onReload, reloadMs = RELOAD_MS } = options;
  if (tls.san !== null && tls.clientCa === null)
    throw new Error('xds.tls.san needs xds.tls.client_ca: without it no client shows a certificate');
  let inUse = await readContext(tls);
  const credentials = new ReplaceableCredentials(inUse, tls.clientCa !== null);
  const reload = async (): Promise<boolean> => {
    const next = await readContext(tls);
    if (isSame(next, inUse)) return false;
    credentials.replace(next);
    inUse = next;
    return true;
  };
  let fault = '';
  const timer = setInterval(() => {
    reload().then(
      (changed) => {
        if (changed || fault !== '') onReload(null);
        fault = '';
      },
      (error: unknown) => {
        const failure = error instanceof Error ? error : new Error(String(error));
        if (failure.message !== fault) onReload(failure);
        fault = failure.message;
      },
    );
  }, reloadMs).unref();
  return { credentials, close: () => clearInterval(timer) };
}

/** grpc-js credentials with a replaceable secure context, which servers use for new connections. */
class ReplaceableCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions, requestCert: boolean) {
    super({ requestCert, rejectUnauthorized: requestCert }, context);
  }

  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

type Context = Readonly<Record<'cert' | 'key', Buffer>> & { readonly ca?: Buffer };

/** Reads the files and checks that they fit together; throws if not. */
async function readContext({ certificate, key, clientCa }: TlsSettings): Promise<Context> {
  try {
    const [cert, privateKey, ca] = await Promise.all([
      readFile(certificate),
      readFile(key),
      clientCa === null ? null : readFile(clientCa),
    ]);
    if (ca !== null) checkCa(ca, clientCa ?? '');
    const context = { cert, key: privateKey, ...(ca && { ca }) };
    createSecureContext(context);
    return context;
  } catch (error) {
    throw new Error(`xds.tls can't be used: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** OpenSSL ignores anything that is no certificate: no client could connect, and nothing would say why. */
function checkCa(pem: Buffer, path: string): void {
  const blocks = pem
    .toString('latin1')
    .match(/-----BEGIN [A-Z ]*CERTIFICATE-----[^-]*-----END [A-Z ]*CERTIFICATE-----/g);
  if (blocks === null) throw new Error(`client_ca holds no certificate: ${path}`);
  for (const block of blocks) new X509Certificate(block);
}

function isSame(a: Context, b: Context): boolean {
  const same = (left?: Buffer, right?: Buffer): boolean => left === right || (!!left && !!right && left.equals(right));
  return same(a.cert, b.cert) && same(a.key, b.key) && same(a.ca, b.ca);
}
