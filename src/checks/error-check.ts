import type { Sums } from '../load/sums.ts';
import { judgeErrors, type ErrorSettings } from './errors.ts';
import type { Finding } from './finding.ts';
import type { FleetLoad, WatchedRollout } from './watched.ts';

/**
 * How far back it looks: a minute, so that an old good phase does not hide a fresh bad one for long; longer where a minute has too few
 * requests for a verdict.
 */
const windowMs = 60_000;
const longestMs = 120_000;
/**
 * It looks no further back than this before the wave began: two intervals of load reports. A report is about the time before it came,
 * and with 10 requests a second the 40 that this adds bring a verdict, which needs 100, 4 s sooner.
 */
const leadMs = 4_000;
/** A wave that has had no request for this long has fallen silent, as one does whose shards are exhausted. */
const silentMs = 15_000;

export interface Subject {
  readonly rollout: WatchedRollout;
  readonly baseline: Sums | null;
  readonly settings: ErrorSettings;
  readonly now: number;
  /** Reports that came before this may be about another rollout. */
  readonly cleanFrom: number;
}

/** The built-in check: the load reports of the wave's nodes against those of all others, or against the baseline. */
export function checkErrors(load: FleetLoad, subject: Subject): Finding {
  const silence = findSilence(load, subject);
  if (silence !== null) return { verdict: 'no_data', message: silence };
  const { rollout, now, cleanFrom } = subject;
  const start = Math.max(rollout.since - leadMs, cleanFrom);
  const finding = judge(load, subject, Math.max(start, now - windowMs));
  if (finding.verdict !== 'no_data' || start >= now - windowMs) return finding;
  return judge(load, subject, Math.max(start, now - longestMs));
}

/** What was good before is no verdict on a wave from which nothing comes any more. */
function findSilence(load: FleetLoad, { rollout, now }: Subject): string | null {
  const since = Math.max(rollout.since, now - silentMs);
  if (load.sum(rollout.includes, since).requests > 0) return null;
  if (!rollout.nodes().some((node) => load.hasNode(node))) return 'no node of the wave sends load reports';
  return `no request in the wave for ${Math.round((now - since) / 1000)} s`;
}

/** Against the others at the same time; where they are none, or have too few requests, against the fleet as it was before. */
function judge(load: FleetLoad, { rollout, baseline, settings }: Subject, since: number): Finding {
  const wave = load.sum(rollout.includes, since);
  const rest = rollout.isEveryone ? null : load.sum((node) => !rollout.includes(node), since);
  if (rest !== null && (rest.requests >= settings.requests || baseline === null))
    return judgeErrors({ wave, rest, settings });
  if (baseline !== null) return judgeErrors({ wave, rest: baseline, settings, where: 'before the rollout' });
  const message = 'every node is in the wave, and no load reports are from before the rollout: nothing to compare with';
  return { verdict: 'no_data', message };
}
