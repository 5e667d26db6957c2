import type { Mark } from './tables.ts';
import { addMark, removeMark, storeRelease, writeContent, writeLive, writeMute } from './tables.ts';
import type { Statements } from './statements.ts';
import type { View } from './view.ts';

/**
 * Makes a database say what the view says: in a new file, or after entries were lost. Inside a transaction of the caller's.
 * @param at milliseconds since the epoch, for what the view knows no time of.
 */
export function writeCheckpoint({ run, all }: Statements, view: View, at: number): void {
  for (const stored of view.releases.values()) storeRelease(run, stored, view.nextId);
  const { head, tip, seq, proven } = view;
  run(
    'UPDATE fleet SET head = ?, tip = ?, seq = ?, proven = (SELECT version FROM releases WHERE version = ?)',
    head,
    tip,
    seq,
    proven,
  );
  writeLive(run, view.live);
  for (const digest of view.contents) writeContent(run, digest);

  for (const { node } of all('SELECT node FROM muted'))
    if (!view.muted.has(String(node))) writeMute(run, { type: 'unmuted', node: String(node) }, at);
  for (const node of view.muted) writeMute(run, { type: 'muted', node }, at);

  const marks = marksOf(view, at);
  const wanted = new Set(marks.map(([version, { kind }]) => `${kind} ${version}`));
  for (const { version, kind } of all('SELECT version, kind FROM marks')) {
    if (!wanted.has(`${String(kind)} ${String(version)}`)) removeMark(run, String(version), String(kind));
  }
  for (const [version, mark] of marks) {
    addMark(run, version, mark);
  }
}

function marksOf(view: View, at: number): [string, Mark][] {
  return [
    ...[...view.pins].map(([version, refusal]): [string, Mark] => [version, { kind: 'pinned', at, refusal }]),
    ...[...view.holds].map(([version, hold]): [string, Mark] => [version, { kind: 'held', ...hold }]),
    ...[...view.accepted].map((version): [string, Mark] => [version, { kind: 'accepted', at }]),
  ];
}
