import type { Diagnostic } from '../../config/diagnostic.ts';
import type { Version } from '../../ids.ts';

/** A commit on the watched ref that changes the config file. */
export interface Revision {
  /** The commit's full SHA (40 or 64 hex digits). */
  readonly version: Version;
  /** First line of the message, cut at 200 characters, control characters replaced. */
  readonly subject: string;
  /** `Name <email>` of the author, cleaned likewise. */
  readonly author: string;
  /** RFC 3339, UTC. */
  readonly committedAt: string;
  /** The commit's trailers that shardplane knows (`Shardplane-Accept`), lower-cased keys. */
  readonly trailers: ReadonlyMap<string, string>;
  /**
   * The strategy that the commit asks for with its trailer `Shardplane-Rollout`, cleaned, cut at 64 characters (no strategy's
   * name is as long). Null: none. Of several trailers all, with commas: the name of no strategy.
   */
  readonly rollout: string | null;
  /** The file's bytes in this commit, or why there are none to read (missing, a symlink, too large ...). */
  readonly content: { readonly bytes: Buffer } | { readonly fault: Diagnostic };
}
