import { printable } from '../config/words.ts';
import { createFeedback } from '../feedback/feedback.ts';
import { NoteWriter } from '../git/notes/note-writer.ts';
import { RemoteSource } from '../git/follow/remote-source.ts';
import type { Secrets } from '../secrets.ts';
import type { Settings } from '../settings/settings.ts';
import type { Follow } from './follow.ts';
import type { Problems } from './problems.ts';
import type { Report } from './record.ts';

/** Where outcomes are told beside the daemon's own record. None of them is ever waited for. */
export interface Outlet {
  report(report: Report): void;
  close(): Promise<void>;
}

interface Surroundings {
  readonly settings: Settings;
  readonly source: Follow['source'];
  readonly problems: Problems;
  readonly secrets: Secrets;
}

/** Git notes and commit statuses, as far as the settings ask for them. */
export function createOutlets(surroundings: Surroundings): Outlet[] {
  return [createNotes(surroundings), createStatuses(surroundings)].filter((outlet) => outlet !== null);
}

function createNotes({ settings, source, problems, secrets }: Surroundings): Outlet | null {
  if (settings.repository.notes === 'off') return null;
  const mirror = source instanceof RemoteSource ? source.mirror : null;
  const notes = new NoteWriter({
    repository: () => source.repository,
    pushBy: settings.repository.notes === 'push' ? mirror : null,
    onProblem: (error) =>
      problems.set(
        'notes',
        error && `git notes can't be written: ${error.message}`,
        'repository.notes: off does without',
      ),
  });
  return {
    report: (report) => report.outcome !== null && notes.set(report.version, secrets.redact(toNote(report))),
    close: () => notes.close(),
  };
}

function createStatuses({ settings, problems, secrets }: Surroundings): Outlet | null {
  if (settings.status === null) return null;
  const onProblem = (words: string | null): void => problems.set('status', words);
  const feedback = createFeedback({ ...settings.status, onProblem, secrets });
  return { report: (report) => feedback.report(report), close: () => feedback.stop() };
}

/** What `git log --notes=shardplane` shows beside the commit. */
export function toNote({ outcome, diagnostics, counts }: Report): string {
  const { acked, connected } = counts;
  const told = connected === 0 ? ': no Envoy was connected' : `: acknowledged by ${acked} of ${connected}`;
  const faults = diagnostics.map(
    ({ file, line, column, message }) => `${printable(file)}:${line}:${column}: ${printable(message)}`,
  );
  return [`${outcome ?? 'pending'}${outcome === 'live' ? told : ''}`, ...faults].join('\n');
}
