import { createFeedback } from '../feedback/feedback.ts';
import { NoteWriter } from '../git/notes/note-writer.ts';
import { RemoteSource } from '../git/follow/remote-source.ts';
import type { Secrets } from '../secrets.ts';
import type { Settings } from '../settings/settings.ts';
import type { Source } from '../git/follow/source.ts';
import type { Problems } from './problems.ts';
import { toNote } from './report.ts';
import type { Report } from './report.ts';

/** Publishes reports somewhere else. Nothing waits for it. */
export interface Reporter {
  report(report: Report): void;
  close(): Promise<void>;
}

interface Surroundings {
  readonly settings: Settings;
  readonly source: Source | RemoteSource;
  readonly problems: Problems;
  readonly secrets: Secrets;
}

/** Git notes and commit statuses, if the settings enable them. */
export function createReporters(surroundings: Surroundings): Reporter[] {
  return [createNotes(surroundings), createStatuses(surroundings)].filter((reporter) => reporter !== null);
}

function createNotes({ settings, source, problems, secrets }: Surroundings): Reporter | null {
  if (settings.repository.notes === 'off') return null;
  const mirror = source instanceof RemoteSource ? source.mirror : null;
  const notes = new NoteWriter({
    repository: () => source.repository,
    pushBy: settings.repository.notes === 'push' ? mirror : null,
    onProblem: (error) =>
      problems.set(
        'notes',
        error && `git notes can't be written: ${error.message}`,
        'or turn them off: repository.notes: off',
      ),
  });
  return {
    report: (report) =>
      (report.outcome !== null || report.progress !== undefined) &&
      notes.set(report.version, secrets.redact(toNote(report))),
    close: () => notes.close(),
  };
}

function createStatuses({ settings, problems, secrets }: Surroundings): Reporter | null {
  if (settings.status === null) return null;
  const onProblem = (words: string | null): void => problems.set('status', words);
  const feedback = createFeedback({ ...settings.status, onProblem, secrets });
  return { report: (report) => feedback.report(report), close: () => feedback.stop() };
}
