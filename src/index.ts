/**
 * shardplane as a library: the pure parts, without a daemon. What a commit's file means, what is pushed for it, and who gets
 * which hosts. Nothing here does I/O or throws on bad input, unless its own comment says so.
 */
export { compileSchema } from './config/schema.ts';
export type { SchemaValidator } from './config/schema.ts';
export { parseConfig } from './config/parse.ts';
export type { ParsedConfig } from './config/parse.ts';
export type { Json, NextView, ShardConfig } from './config/config.ts';
export type { Diagnostic, DiagnosticCode } from './config/diagnostic.ts';
export { compileRelease, toFields } from './release/compile.ts';
export type { Encoding } from './release/packed.ts';
export type { Release } from './release/release.ts';
export { assignShard } from './shard/assign.ts';
export type { ShardRequest } from './shard/assign.ts';
export { explainShard } from './shard/explain-shard.ts';
export type { ExplainedSlot, Overlap, ShardExplanation } from './shard/explain-shard.ts';
