import type { SessionId, Version } from '../../src/ids.ts';
import { createCandidate, type Candidate } from '../../src/rollout/candidate.ts';
import { allAtOnce } from '../../src/rollout/plan.ts';
import type { NodeLabels } from '../../src/rollout/reach.ts';

/** A name that a test gives to a release. */
export function versionOf(name: string): Version {
  return name as Version;
}

/** A name that a test gives to a stream. */
export function sessionOf(name: string): SessionId {
  return name as SessionId;
}

/** A node of which only the id matters. */
export function labelsOf(id: string): NodeLabels {
  return { id, cluster: '', locality: '', metadata: {} };
}

/** A release that everyone was offered at time 0. */
export function candidateOf(name: string, ackTimeoutMs = 30_000): Candidate {
  const version = versionOf(name);
  return {
    ...createCandidate(version, allAtOnce, [], 0),
    ...{ wave: 0, offered: version, reach: { isEveryone: true, upTo: -1, globs: [] } },
    phase: { type: 'pushing', deadline: ackTimeoutMs },
  };
}
