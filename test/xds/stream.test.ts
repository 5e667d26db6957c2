import { NO_RELEASE } from '../../src/xds/stream/types.ts';
import { versionOf } from '../helpers/ids.ts';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { createStream, step, type StreamState } from '../../src/xds/stream/step.ts';
import type { Dialect, Request, StreamAction, StreamEvent, Target } from '../../src/xds/stream/types.ts';
import { runTranscript } from '../helpers/transcript.ts';
import { RUNTIME_TYPE } from '../../src/release/encode.ts';

const folder = new URL('./', import.meta.url);
for (const file of readdirSync(folder).filter((name) => /^stream-.*\.txt$/.test(name))) {
  test(`xDS stream transcript ${file}`, () => {
    const run = createRunner();
    return runTranscript(new URL(file, folder).pathname, (command) => run(command));
  });
}

const limits = { names: 4, nameBytes: 12, types: 2 };

/**
 * Commands:
 *   open sotw|delta [ads] [VERSION]   a new stream; VERSION is the target (none without it)
 *   offer VERSION|none|withheld       the fleet's target moves
 *   request KEY=VALUE...              node, names, version, subscribe, unsubscribe, initial, nonce, type, trusted, and error= (the rest)
 *   end                               the stream's end
 */
function createRunner(): (command: string) => string[] {
  const resources: Target['resources'] = new Map();
  let target: Target = { seq: 0, version: NO_RELEASE, resources };
  let dialect: Dialect = 'sotw';
  let state: StreamState | null = null;
  const move = (version: string): Target => {
    const next =
      version === 'withheld' ? ({ version: NO_RELEASE, withheld: true } as const) : { version: versionOf(version) };
    return (target = { seq: target.seq + 1, resources, ...next });
  };
  return (command) => {
    const [word, ...words] = command.split(' ');
    if (word === 'open') {
      dialect = words[0] as Dialect;
      const aggregated = words[1] === 'ads';
      const version = words[aggregated ? 2 : 1];
      target = { seq: 0, version: NO_RELEASE, resources };
      if (version !== undefined) move(version);
      state = createStream({ aggregated, resource: 'runtime', target, limits });
      return [];
    }
    const event: StreamEvent =
      word === 'end'
        ? { type: 'end' }
        : word === 'offer'
          ? { type: 'offer', target: move(words[0]!) }
          : {
              type: 'request',
              request: toRequest(dialect, state!.aggregated, words),
              trusted: words.includes('trusted=yes'),
            };
    return step(state!, event).map(toLine);
  };
}

function toRequest(dialect: Dialect, aggregated: boolean, words: string[]): Request {
  const [before, error] = words.join(' ').split(/\berror=/);
  const fields = new Map(
    before!
      .split(' ')
      .filter(Boolean)
      .map((pair) => pair.split('=', 2) as [string, string]),
  );
  const list = (key: string): string[] => fields.get(key)?.split(',') ?? [];
  const node = fields.get('node');
  const type = fields.get('type') ?? (aggregated ? 'runtime' : '');
  return {
    typeUrl: type === 'runtime' ? RUNTIME_TYPE : type,
    node:
      node === undefined
        ? null
        : {
            id: JSON.parse(`"${node}"`) as string,
            cluster: '',
            locality: '',
            userAgent: '',
            userAgentVersion: '',
            metadata: {},
          },
    nonce: fields.get('nonce') ?? '',
    error: error === undefined ? null : { code: 13, message: error },
    body:
      dialect === 'sotw'
        ? { dialect, names: list('names'), version: fields.get('version') ?? '' }
        : {
            dialect,
            subscribe: list('subscribe'),
            unsubscribe: list('unsubscribe'),
            initialVersions: new Map(list('initial').map((pair) => pair.split(':', 2) as [string, string])),
          },
  };
}

function toLine(action: StreamAction): string {
  switch (action.type) {
    case 'send':
      return `send ${action.target.version} nonce=${action.nonce}`;
    case 'send_absent':
      return `send_absent ${action.name} nonce=${action.nonce}`;
    case 'joined':
      return `joined${action.claims === null ? '' : ` claims=${action.claims}`}`;
    case 'acked':
      return `acked ${action.target.version}`;
    case 'nacked':
      return `nacked ${action.target.version}: ${action.error.code} ${action.error.message}`;
    case 'absent_nacked':
      return `absent_nacked ${action.name}: ${action.error.code} ${action.error.message}`;
    case 'stale':
      return `stale nonce=${action.nonce}`;
    case 'unsupported':
      return `unsupported ${action.typeUrl}`;
    case 'reject':
      return `reject ${action.code} ${action.message}`;
    case 'kept':
      return `kept ${action.target.version}`;
    case 'left':
      return 'left';
  }
}
