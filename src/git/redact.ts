/** Removes secrets from what is shown or kept. */
export type Redact = (text: string) => string;

/**
 * Makes a function that blanks the given secrets wherever they turn up, as they are, percent-encoded, and as the
 * base64 of HTTP's basic authentication; and the user part of any URL, whoever's it is.
 */
export function redactor(credentials: readonly { username: string | null; password: string }[]): Redact {
  const secrets = credentials.flatMap(({ username, password }) => variants(username ?? '', password));
  const known = [...new Set(secrets)].filter((secret) => secret !== '').sort((a, b) => b.length - a.length);
  return (text) => {
    const blanked = known.reduce((words, secret) => words.replaceAll(secret, '***'), text);
    return blanked.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s'"]*@/gi, '$1***@');
  };
}

function variants(username: string, password: string): string[] {
  const encoded = encodeURIComponent(password);
  const strict = encoded.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const pair = Buffer.from(`${username}:${password}`).toString('base64');
  const lower = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [
    password,
    encoded,
    strict,
    lower(encoded),
    lower(strict),
    encoded.replaceAll('%20', '+'),
    pair,
    pair.replace(/=+$/, ''),
  ];
}
