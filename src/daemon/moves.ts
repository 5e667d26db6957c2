import type { Logger } from 'pino';
import type { Moved, SourceEvent } from '../git/follow/source.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import { describeRewrite, howToPutBack } from '../revisions/move.ts';
import type { ProblemCode, Problems } from './problems.ts';

/** The problems that a move of the ref may cause; `message` is null where there is none. */
export function problemsOf(
  moved: Moved & { readonly isTaken: boolean },
  { ref, file }: Pick<RepositorySettings, 'ref' | 'file'>,
): { code: ProblemCode; message: string | null; hint: string }[] {
  const { tip, newest, decision, movement, isTaken } = moved;
  const none = ref === 'HEAD' ? 'there is no commit yet on HEAD' : `there is no ref ${ref} yet`;
  const problem = (code: ProblemCode, isSo: boolean, message: string, hint: string) => ({
    code,
    message: isSo ? message : null,
    hint,
  });
  return [
    problem('ref', tip === null && movement === 'absent', none, `commit a ${file}: the daemon will pick it up`),
    problem(
      'ref-deleted',
      tip === null && movement === 'deleted',
      `${ref} was deleted`,
      'the live release stays live; the daemon will pick the ref up when it is back',
    ),
    problem(
      'file',
      tip !== null && newest === null,
      `no commit of ${ref} has ${file}`,
      `commit a ${file}, or set repository.file`,
    ),
    problem(
      'rewritten',
      decision === 'refuse' && !isTaken,
      `${describeRewrite(moved, ref)}, which on_rewrite refuses`,
      howToPutBack(moved),
    ),
  ];
}

/** Opens and closes problems with reading or watching git. */
export function reportTrouble(
  event: Exclude<SourceEvent, { type: 'moved' | 'working-file' }>,
  { log, problems }: { log: Logger; problems: Problems },
): void {
  switch (event.type) {
    case 'failed':
      problems.begin(event.part, event.error.message, event.error.hint);
      // These errors mean that the ref exists.
      if (event.error.code === 'bad-ref' || event.error.code === 'ref-broken')
        for (const code of ['ref', 'ref-deleted'] as const) problems.end(code);
      return;
    case 'recovered':
      return problems.end(event.part);
    case 'mirror-rebuilt':
      return log.warn({ event: 'mirror_rebuilt' }, `the mirror was damaged (${event.reason}) and is being rebuilt`);
    case 'watched':
      return problems.end('watch');
    case 'unwatched': {
      const words = `the repository can't be watched: ${event.error.message}`;
      return problems.begin('watch', words, 'changes are seen by polling');
    }
  }
}
