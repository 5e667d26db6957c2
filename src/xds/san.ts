import { matchesParts } from '../glob.ts';

/** The types that a rule can name, and Node's names for them. */
const types: Readonly<Record<string, string>> = { uri: 'URI', dns: 'DNS', ip: 'IP Address', email: 'email' };

/** A subject alternative name, with Node's name of its type. */
export interface San {
  readonly type: string;
  readonly value: string;
}

/**
 * Whether a subject alternative name of a client's certificate matches the rule `xds.tls.san`. In the rule `{node}` stands for the
 * client's node.id and `*` for any run of characters; a prefix `uri:`, `dns:`, `ip:` or `email:` sets the type. `names` is Node's text of
 * the extension (X509Certificate subjectAltName), absent when the certificate has none.
 */
export function matchesSan(rule: string, nodeId: string, names: string | undefined): boolean {
  const { type, value: pattern } = readRule(rule);
  // Compared as plain text: nothing that a client sends becomes a pattern.
  const parts = pattern.split('*').map((part) => part.replaceAll('{node}', () => nodeId));
  return parseSans(names ?? '').some((san) => san.type === type && matchesParts(san.value, parts));
}

/** A rule without a type gets the one that it looks like: otherwise `DNS:spiffe://...` would pass as a URI. */
function readRule(rule: string): San {
  const prefix = /^(uri|dns|ip|email):/.exec(rule)?.[1];
  const value = prefix === undefined ? rule : rule.slice(prefix.length + 1);
  return { type: types[prefix ?? guessType(rule)] ?? '', value };
}

function guessType(rule: string): string {
  if (rule.includes('://')) return 'uri';
  if (rule.includes('@')) return 'email';
  return rule.includes(':') || /^[\d.]+$/.test(rule) ? 'ip' : 'dns';
}

/**
 * Parses `DNS:a.example, URI:spiffe://x/y, DNS:"odd, one"`. Node quotes an ambiguous value as JSON: https://nodejs.org/api/crypto.html#x509subjectaltname.
 */
export function parseSans(text: string): San[] {
  const entries = text.matchAll(/(?:^|, )([A-Za-z ]+):(?:("(?:[^"\\]|\\.)*")|([^,"]*))(?=, |$)/g);
  return [...entries].map(([, type = '', quoted, plain = '']) => ({
    type,
    value: quoted === undefined ? plain : String(JSON.parse(quoted)),
  }));
}
