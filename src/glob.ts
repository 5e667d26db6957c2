/** Whether a text matches a glob, in which `*` stands for any run of characters. Takes linear time, whatever the text is. */
export function matchesGlob(text: string, glob: string): boolean {
  return matchesParts(text, glob.split('*'));
}

/** Whether `text` consists of `parts` in this order, with anything between them. */
export function matchesParts(text: string, parts: readonly string[]): boolean {
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
