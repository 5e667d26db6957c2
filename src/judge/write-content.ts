import { createHash } from 'node:crypto';
import { contentToJson, type Content } from '../release/content.ts';

/** A release's content as text, and the digest of that: a revert has that of what it goes back to. */
export interface WrittenContent {
  readonly content: string;
  readonly digest: string;
}

/** Writes it. */
export function writeContent(release: Content): WrittenContent {
  const content = contentToJson(release);
  return { content, digest: createHash('sha256').update(content).digest('hex') };
}
