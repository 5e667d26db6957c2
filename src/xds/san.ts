/**
 * Does a subject alternative name of a client's certificate match the rule `xds.tls.san`? In the rule `{node}` stands for the
 * node.id that the client gives, `*` for any run of characters. `names` is Node's text of the extension (X509Certificate
 * subjectAltName), absent when the certificate has none.
 */
export function matchesSan(rule: string, nodeId: string, names: string | undefined): boolean {
  const pattern = rule.split(/(\{node\}|\*)/).map((part) => {
    if (part === '{node}') return escapeRegExp(nodeId);
    return part === '*' ? '.*' : escapeRegExp(part);
  });
  const expression = new RegExp(`^${pattern.join('')}$`, 's');
  return parseSans(names ?? '').some((name) => expression.test(name));
}

/**
 * The values in `DNS:a.example, URI:spiffe://x/y, DNS:"odd, one"`. A value that could be mistaken for more than one is
 * quoted as JSON: https://nodejs.org/api/crypto.html#x509subjectaltname.
 */
export function parseSans(text: string): string[] {
  const entries = text.matchAll(/(?:^|, )[A-Za-z ]+:(?:("(?:[^"\\]|\\.)*")|([^,"]*))(?=, |$)/g);
  return [...entries].map(([, quoted, plain]) => (quoted === undefined ? (plain ?? '') : String(JSON.parse(quoted))));
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
