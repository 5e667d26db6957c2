import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { parseConfig } from '../config/parse.ts';
import type { ParsedConfig } from '../config/parse.ts';
import { compileSchema } from '../config/schema.ts';
import type { Json, ShardConfig } from '../config/config.ts';
import { setNewest } from '../newest.ts';
import { compileRelease } from '../release/compile.ts';
import { encodeLayer } from '../release/layer.ts';
import { contentDigest } from './digest.ts';
import type { ReadResult, ReadRequest, ThreadData } from './message.ts';

// The thread of reader.ts: reads one file at a time, and is ended when one exceeds a limit.

/** Parsed files to keep: a saved file and its commit have the same bytes. */
const kept = 2;
/** Entries in one part: some 2 ms to deserialize. */
const partSize = 2_000;

const validate = compileSchema((workerData as ThreadData).schema);
const parsed = new Map<string, ParsedConfig>();

parentPort?.on('message', (question: ReadRequest) => {
  const answer = answerTo(question);
  const { compiled } = answer;
  const buffers = compiled === null ? [] : [...compiled.fields, compiled.resource].map(({ buffer }) => buffer);
  parentPort?.postMessage(answer, buffers);
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

function compile(config: ShardConfig, { version, layer }: NonNullable<ReadRequest['commit']>): ReadResult['compiled'] {
  const { fields } = compileRelease(config, { version, subject: '' });
  const resource = alone(encodeLayer(fields, layer));
  return { fields: toParts([...fields]), resource, digest: contentDigest(fields) };
}

function toParts(entries: readonly (readonly [string, Json])[]): Uint8Array<ArrayBuffer>[] {
  const count = Math.ceil(entries.length / partSize);
  return Array.from({ length: count }, (_, at) => alone(serialize(entries.slice(at * partSize, (at + 1) * partSize))));
}

/** A copy with its own buffer, which can be transferred. */
function alone(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
