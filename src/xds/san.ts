/** The types that a rule can name, and what Node's text of a certificate calls them. */
const types: Readonly<Record<string, string>> = { uri: 'URI', dns: 'DNS', ip: 'IP Address', email: 'email' };

/** One subject alternative name: `type` in Node's words. */
export interface San {
  readonly type: string;
  readonly value: string;
}

/**
 * Does a subject alternative name of a client's certificate match the rule `xds.tls.san`? In the rule `{node}` stands for the
 * node.id that the client gives, `*` for any run of characters; `uri:`, `dns:`, `ip:` or `email:` in front says the type.
 * `names` is Node's text of the extension (X509Certificate subjectAltName), absent when the certificate has none.
 */
export function matchesSan(rule: string, nodeId: string, names: string | undefined): boolean {
  const { type, value: pattern } = readRule(rule);
  // Compared as plain text: no pattern is ever made of what a client sends.
  const parts = pattern.split('*').map((part) => part.replaceAll('{node}', () => nodeId));
  return parseSans(names ?? '').some((san) => san.type === type && matchesParts(san.value, parts));
}

/** A rule that names no type is for the type that it looks like: else `DNS:spiffe://...` would pass for a URI. */
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

/** `parts` in their order, anything between them, the first at the beginning and the last at the end. */
function matchesParts(text: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/**
 * The names in `DNS:a.example, URI:spiffe://x/y, DNS:"odd, one"`. A value that could be mistaken for more than one is
 * quoted as JSON: https://nodejs.org/api/crypto.html#x509subjectaltname.
 */
export function parseSans(text: string): San[] {
  const entries = text.matchAll(/(?:^|, )([A-Za-z ]+):(?:("(?:[^"\\]|\\.)*")|([^,"]*))(?=, |$)/g);
  return [...entries].map(([, type = '', quoted, plain = '']) => ({
    type,
    value: quoted === undefined ? plain : String(JSON.parse(quoted)),
  }));
}
