import pc from 'picocolors';
import { printable } from '../config/words.ts';
import type { NodeStatus } from '../http/api.ts';
import { short } from '../release/short.ts';

/** Which nodes to show. */
export interface NodeFilter {
  /** A pattern for the id: `*` is any run of characters, `?` one. */
  readonly node?: string | undefined;
  readonly nodeState?: string | undefined;
}

/** Trouble first; a state that is not in this list comes just before `acked`. */
const order = ['refusing', 'unserved', 'unanswered', 'pending', 'gone'];

/** The nodes that match, trouble first, then by state and id. */
export function selectNodes(nodes: readonly NodeStatus[], { node, nodeState }: NodeFilter): NodeStatus[] {
  const fits = node === undefined ? () => true : toMatcher(node);
  return nodes
    .filter((each) => fits(each.id) && (nodeState === undefined || each.state === nodeState))
    .sort((a, b) => rank(a) - rank(b) || a.state.localeCompare(b.state, 'en') || compareIds(a.id, b.id));
}

const { compare: compareIds } = new Intl.Collator('en', { numeric: true });

function rank({ state }: NodeStatus): number {
  if (state === 'acked') return order.length + 1;
  const at = order.indexOf(state);
  return at === -1 ? order.length : at;
}

/** Not a RegExp: one built from user input could backtrack for ever. */
export function toMatcher(glob: string): (text: string) => boolean {
  return (text) => {
    let at = 0;
    let inGlob = 0;
    let star = -1;
    let since = 0;
    while (at < text.length) {
      if (glob[inGlob] === '*') {
        star = inGlob++;
        since = at;
      } else if (inGlob < glob.length && (glob[inGlob] === '?' || glob[inGlob] === text[at])) {
        inGlob += 1;
        at += 1;
      } else if (star !== -1) {
        inGlob = star + 1;
        at = since += 1;
      } else return false;
    }
    return /^\**$/.test(glob.slice(inGlob));
  };
}

/** What to add where a node has no full vote. */
const voteWords = {
  full: '',
  new: '',
  shared: '',
  lost: ' (rolled back alone, has to accept others first)',
  muted: ' (muted)',
};

const maxWords = 300;

/** A table of at most `limit` nodes, and a summary of the rest. Each line starts with `indent`. */
export function formatNodes(
  nodes: readonly NodeStatus[],
  { limit, color, indent }: { limit: number; color: boolean; indent: string },
): string[] {
  const colors = pc.createColors(color);
  const shown = nodes.slice(0, limit);
  const width = Math.max(0, ...shown.map(({ id }) => printable(id).length));
  // Of a wave that is everybody's there is nothing to tell.
  const inWave = new Set(nodes.every(({ wave }) => wave) ? [] : nodes.filter(({ wave }) => wave));
  const loads = new Map(shown.map((node) => [node, formatLoad(node)]));
  const loadWidth = Math.max(0, ...[...loads.values()].map(({ length }) => length));
  const toLoad = (node: NodeStatus): string =>
    loadWidth === 0 ? '' : `${(loads.get(node) ?? '').padEnd(loadWidth)}  `;
  const lines = shown.map((node) => {
    const paint = node.state === 'acked' ? colors.green : colors.yellow;
    const words = wordsOf(node);
    const twin = node.duplicate ? colors.red(' (another stream has the same node id)') : '';
    const vote = `${inWave.has(node) ? ' (wave)' : ''}${colors.yellow(voteWords[node.vote])}`;
    return `${indent}${printable(node.id).padEnd(width)}  ${short(node.version ?? '-').padEnd(12)}  ${toLoad(node)}${paint(node.state)}${vote}${words}${twin}`;
  });
  const rest = nodes.slice(limit);
  return rest.length === 0 ? lines : [...lines, `${indent}... and ${tally(rest)}: --limit ${nodes.length} shows all`];
}

/** `12.5 req/s, 0.3 % errors`, or '' where it sends no load reports. */
function formatLoad({ load = null }: Partial<Pick<NodeStatus, 'load'>>): string {
  if (load === null) return '';
  const { requests, errors, seconds } = load;
  const rate = `${roundUp(requests / seconds)} req/s`;
  return requests === 0 ? rate : `${rate}, ${roundUp((100 * errors) / requests)} % errors`;
}

/** With one digit after the point below 100. What is not 0 is not shown as 0. */
function roundUp(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value === 0 ? '0' : Math.max(0.1, value).toFixed(1);
}

function wordsOf({ refusal, unserved = null }: Pick<NodeStatus, 'refusal'> & Partial<NodeStatus>): string {
  if (unserved !== null) return `: it ${printable(unserved)}`;
  if (refusal === null) return '';
  const words = printable(refusal.message);
  return `: ${words.length > maxWords ? `${words.slice(0, maxWords).toWellFormed()}… (--json has all)` : words}`;
}

/** `3 more refusing, 40 more acked`. */
function tally(nodes: readonly NodeStatus[]): string {
  const counts = new Map<string, number>();
  for (const { state } of nodes) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, n]) => `${n} more ${state}`).join(', ');
}
