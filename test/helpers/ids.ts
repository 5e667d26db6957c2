import type { SessionId, Version } from '../../src/ids.ts';

/** A name that a test gives to a release. */
export function versionOf(name: string): Version {
  return name as Version;
}

/** A name that a test gives to a stream. */
export function sessionOf(name: string): SessionId {
  return name as SessionId;
}
