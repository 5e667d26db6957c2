/** Whom a query is about. */
export interface QuerySubject {
  /** As it is on the wire. */
  readonly version: string;
  /** The ids of the nodes that have the candidate; null: everyone. */
  readonly nodes: readonly string[] | null;
}

/** The longest alternation of nodes. Prometheus takes ten times that: it reads 10 MB of a form. */
const nodesAtMostBytes = 256 * 1024;

/**
 * Fills `{{version}}` and `{{nodes}}` in. The latter becomes a regular expression that matches exactly the wave's nodes, or every label
 * that is not empty if all nodes are in it. Throws where it can't say whom it is about: to ask about others instead would not be honest.
 */
export function fillQuery(query: string, { version, nodes }: QuerySubject): string {
  return query.replaceAll(/\{\{(version|nodes)\}\}/g, (_, name) =>
    name === 'version' ? quote(version) : toPattern(nodes),
  );
}

function toPattern(nodes: readonly string[] | null): string {
  if (nodes === null) return '.+';
  if (nodes.length === 0) throw new Error('no node of the wave is connected, so {{nodes}} has nothing to name');
  const pattern = `(?:${nodes.map(escapeNode).join('|')})`;
  if (Buffer.byteLength(pattern) > nodesAtMostBytes)
    throw new Error(
      `the wave has ${nodes.length} nodes, more than a query can name ({{nodes}}: 256 KiB): ask by {{version}} instead`,
    );
  return pattern;
}

/**
 * For RE2 within a string of PromQL, in double quotes or in single ones. A class of one character needs no backslash, which the string
 * would want doubled; quotes as such would end it.
 */
function escapeNode(node: string): string {
  return node.replaceAll(/[^\p{L}\p{N}_\-/:@ ,;=~%&<>#!]/gu, (character) =>
    /[.*+?|()[\]{}$]/.test(character) ? `[${character}]` : `\\\\x{${toHex(character)}}`,
  );
}

/** For a string of PromQL. */
function quote(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}_\-.]/gu, (character) => `\\U${toHex(character).padStart(8, '0')}`);
}

function toHex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16);
}
