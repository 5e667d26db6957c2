import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { parseConfig } from '../config/parse.ts';
import type { ParsedConfig } from '../config/parse.ts';
import { compileSchema } from '../config/schema.ts';
import type { ShardConfig } from '../config/config.ts';
import { setNewest } from '../newest.ts';
import { compileRelease } from '../release/compile.ts';
import { encodeLayer } from '../release/layer.ts';
import { writeContent } from './write-content.ts';
import type { CompiledParts, ReadResult, ReadRequest, ThreadData } from './message.ts';
import { alone, toParts } from './config-parts.ts';

// The thread of reader.ts: reads one file at a time, and is ended when one exceeds a limit.

/** Parsed files to keep: a saved file and its commit have the same bytes. */
const kept = 2;

const validate = compileSchema((workerData as ThreadData).schema);
const parsed = new Map<string, ParsedConfig>();

parentPort?.on('message', (question: ReadRequest) => {
  const answer = answerTo(question);
  parentPort?.postMessage(answer, answer.compiled === null ? [] : buffersOf(answer.compiled));
});

function answerTo({ bytes, file, commit }: ReadRequest): ReadResult {
  const { config, diagnostics } = parseOnce(bytes, file);
  return { diagnostics, compiled: config === null || commit === null ? null : compile(config, commit) };
}

function parseOnce(bytes: Uint8Array, file: string): ParsedConfig {
  const key = `${createHash('sha256').update(bytes).digest('hex')} ${file}`;
  const result = parsed.get(key) ?? parseConfig(bytes, { file, validate });
  setNewest(parsed, key, result, kept);
  return result;
}

function compile(config: ShardConfig, { version, layer }: NonNullable<ReadRequest['commit']>): CompiledParts {
  const release = compileRelease(config, { version, subject: '' });
  return { config: toParts(config), resource: alone(encodeLayer(release, layer)), ...writeContent(release) };
}

function buffersOf({ config: { customers, runtime }, resource }: CompiledParts): ArrayBuffer[] {
  return [...customers, ...runtime, resource].map(({ buffer }) => buffer);
}
