import { allAtOnce } from '../../src/rollout/plan.ts';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { Version } from '../../src/ids.ts';
import type { Decision, Movement } from '../../src/revisions/movement.ts';
import { countWaiting, createRevisions, toRevisionsMemory } from '../../src/revisions/state.ts';
import type { RevisionsState } from '../../src/revisions/state.ts';
import { rest, step } from '../../src/revisions/step.ts';
import type {
  RevisionEffect,
  RevisionEvent,
  RevisionFact,
  RevisionSummary,
  Verdict,
} from '../../src/revisions/types.ts';
import type { FinalOutcome, Outcome } from '../../src/rollout/types.ts';
import { versionOf } from '../helpers/ids.ts';
import { runTranscript } from '../helpers/transcript.ts';

const folder = new URL('./', import.meta.url);
for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  test(`revisions transcript ${file}`, async () => {
    const machine = createMachine();
    await runTranscript(new URL(file, folder).pathname, (command) => machine(command));
  });
}

const summary = (name: string): RevisionSummary => ({
  version: versionOf(name),
  subject: '',
  author: '',
  committedAt: '',
});
const diagnostic = { code: 'schema', message: 'bad', file: 'f', line: 1, column: 1, hint: null } as const;
const verdicts: Record<string, Verdict> = {
  valid: { valid: true, shrink: null, digest: null, plan: allAtOnce },
  shrinks: { valid: true, shrink: 'it shrinks', digest: null, plan: allAtOnce },
  invalid: { valid: false, diagnostics: [diagnostic] },
};

/**
 * Commands: `moved MOVEMENT DECISION PREVIOUS TIP REVISIONS NEWEST` (- for none; revisions joined by commas), `VERSION VERDICT`,
 * `listed TIP SKIP REVISIONS`, `unjudged V`, `unlisted`, `accept V`, `retry V`, `decided V OUTCOME`, `stranded`, what the rollout has (`live V`, `target V`, `pin V`),
 * `rest` (all of an event is done), `remembered` (by a restart), `signed` (signatures count), `restart TAKEN HEAD OUTCOME`, `show`.
 */
function createMachine(): (command: string) => string[] {
  const settings = { ref: 'main', file: 'f', isVerified: false };
  let state = createRevisions(settings);
  const pins = new Set<string>();
  let frozen: string | null = null;
  const rollout = {
    live: null as Version | null,
    target: null as Version | null,
    isPinned: (version: string) => pins.has(version),
    frozen: () => (frozen === null ? null : { until: null, reason: frozen }),
  };
  return (command) => {
    const [word = '', ...args] = command.split(' ');
    const [first = '', second = '', third = ''] = args;
    const version = first === '-' ? null : versionOf(first);
    if (word === 'live') rollout.live = rollout.target = version;
    else if (word === 'target') rollout.target = version;
    else if (word === 'pin') pins.add(first);
    else if (word === 'freeze') frozen = args.join(' ');
    else if (word === 'thaw') frozen = null;
    else if (word === 'show') return [show(state)];
    else if (word === 'rest')
      return rest(state, { ...rollout, isUndecided: rollout.target !== rollout.live }).map(describeFact);
    else if (word === 'remembered')
      return [
        `taken ${toRevisionsMemory(state).taken ?? 'none'}, head ${toRevisionsMemory(state).head?.version ?? 'none'}`,
      ];
    else if (word === 'signed') state = createRevisions({ ...settings, isVerified: true });
    else if (word === 'restart') {
      const head = {
        version: versionOf(second),
        subject: '',
        outcome: third === '-' ? null : (third as Outcome),
        diagnostics: [],
      };
      state = createRevisions(settings, { taken: version, head, accepted: [...state.accepted], contents: [] });
      return [show(state)];
    } else {
      const { facts, effects } = step(state, toEvent(word, args), rollout);
      return [...facts.map(describeFact), ...effects.map((effect) => `> ${describeEffect(effect)}`)];
    }
    return [];
  };
}

function toEvent(word: string, args: readonly string[]): RevisionEvent {
  const [first = '', second = '', third = '-', fourth = '-', fifth = '-', sixth = '-'] = args;
  const list = (text: string): RevisionSummary[] => (text === '-' ? [] : text.split(',').map(summary));
  const orNull = (text: string): string | null => (text === '-' ? null : text);
  switch (word) {
    case 'moved':
      return {
        type: 'moved',
        movement: first as Movement,
        decision: second as Decision,
        previous: orNull(third),
        tip: orNull(fourth),
        revisions: list(fifth),
        newest: list(sixth)[0] ?? null,
        outcomes: new Map(),
      };
    case 'listed':
      return { type: 'listed', tip: first, skip: Number(second), revisions: list(third) };
    case 'accept':
    case 'retry':
      return { type: word, version: versionOf(first), by: 'ops' };
    case 'decided':
      return {
        type: 'decided',
        version: versionOf(first),
        outcome: second === '-' ? null : (second as FinalOutcome),
        diagnostics: [],
      };
    case 'unjudged':
      return { type: 'unjudged', version: versionOf(first) };
    case 'stranded':
      return { type: 'stranded' };
    case 'unlisted':
      return { type: 'unlisted' };
    default: {
      const verdict = verdicts[first];
      if (!verdict) throw new Error(`unknown command ${word} ${first}`);
      return { type: 'judged', version: versionOf(word), verdict };
    }
  }
}

function describeFact(fact: RevisionFact): string {
  switch (fact.type) {
    case 'seen':
      return `seen ${fact.revision.version}${fact.isPast ? ' (past)' : ''}`;
    case 'held':
      return `held ${fact.version}: ${fact.reason} (${fact.diagnostics[0]?.hint ?? ''})`;
    case 'accepted':
    case 'retried':
      return `${fact.type} ${fact.version} by ${fact.by}`;
    case 'nothing_found':
      return 'nothing found';
    case 'closed':
      return `closed ${fact.version} ${fact.outcome}`;
    case 'invalid':
    case 'superseded':
      return `${fact.type} ${fact.version}`;
  }
}

function describeEffect(effect: RevisionEffect): string {
  switch (effect.type) {
    case 'list':
      return `list ${effect.tip} ${effect.skip}`;
    case 'release':
      return `${effect.how} ${effect.version}`;
    case 'accept_tip':
      return `accept tip ${effect.tip}`;
    case 'judge': {
      const { isHead, isOvertaken } = effect.standing;
      const standing = [isHead ? ' (head)' : '', isOvertaken ? ' (overtaken)' : ''].join('');
      return `judge ${effect.version}${standing}${effect.next.length > 0 ? `, then ${effect.next.join(' ')}` : ''}`;
    }
  }
}

function show(state: RevisionsState): string {
  const { head, hold, taken } = state;
  const standing = head && `${head.version} ${head.outcome ?? 'undecided'}`;
  return `head ${standing ?? 'none'}, taken ${taken ?? 'none'}, hold ${hold?.cause ?? 'none'}, ${countWaiting(state)} waiting`;
}
