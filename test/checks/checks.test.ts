import { readdirSync } from 'node:fs';
import { mock, test } from 'node:test';
import { Checks } from '../../src/checks/checks.ts';
import type { QuerySubject } from '../../src/checks/fill-query.ts';
import type { QueryResult } from '../../src/checks/read-answer.ts';
import type { CheckEvent } from '../../src/rollout/types.ts';
import type { WatchedRollout } from '../../src/checks/watched.ts';
import type { Sums } from '../../src/load/sums.ts';
import type { CheckSettings } from '../../src/rollout/plan.ts';
import { versionOf } from '../helpers/ids.ts';
import { runTranscript } from '../helpers/transcript.ts';

const folder = new URL('./', import.meta.url);
const errors = { ratio: 1.5, points: 0.5, requests: 100 };
const metric = { url: 'http://prometheus', query: 'up', max: 1, min: null, everyMs: 10_000, timeoutMs: 5_000 };

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  test(`checks transcript ${file}`, async () => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 0 });
    const scene = createScene();
    try {
      await runTranscript(new URL(file, folder).pathname, (command) => scene.perform(command));
    } finally {
      scene.checks.close();
      mock.timers.reset();
    }
  });
}

/** Reports of nodes, each counted for the moment at which it arrived. */
class FakeLoad {
  readonly nodes = new Set<string>();
  readonly #reports: { at: number; node: string; sums: Sums }[] = [];

  get isReporting(): boolean {
    return this.nodes.size > 0;
  }

  hasNode(node: string): boolean {
    return this.nodes.has(node);
  }

  add(node: string, sums: Sums): void {
    this.nodes.add(node);
    this.#reports.push({ at: Date.now(), node, sums });
  }

  sum(includes: (node: string) => boolean, since: number): Sums {
    const total = { requests: 0, errors: 0 };
    for (const { at, node, sums } of this.#reports)
      if (at >= since && includes(node)) {
        total.requests += sums.requests;
        total.errors += sums.errors;
      }
    return total;
  }
}

/**
 * Commands, where a LIST is comma-separated:
 * `reports LIST PER-SECOND PERCENT`: from now on the nodes send reports, every 2 s, of so many requests a second, so many errors;
 * `open LIST`, `gone LIST`: they send reports, without requests; they send none any more;
 * `watch VERSION [started=SECONDS] [since=SECONDS] [wave=LIST|all] [baseline=REQUESTS/ERRORS]`, `watch none`;
 * `answer NAME NUMBER|never|error WORDS`: what comes of queries, from now on; `late NUMBER`: a query that hangs is answered now;
 * `at SECONDS`, `for SECONDS`: the clock goes there, second by second; of equal verdicts in a row, it shows the first and the last; `names`, `close`, `settings off|LIST of metrics`.
 */
function createScene() {
  const load = new FakeLoad();
  const traffic = new Map<string, Sums>();
  const answers = new Map<string, QueryResult | 'never'>();
  const hanging: ((result: QueryResult) => void)[] = [];
  let events: CheckEvent[] = [];
  let asked: string[] = [];
  const query = async ({ name }: { name: string }, { version, nodes }: QuerySubject, signal: AbortSignal) => {
    asked.push(`asked ${name} ${version} ${nodes?.join(',') ?? 'all'}`);
    const answer = answers.get(name) ?? { value: 0.5 };
    if (answer !== 'never') return answer;
    signal.addEventListener('abort', () => asked.push(`cut ${name}`));
    return new Promise<QueryResult>((resolve) => hanging.push(resolve));
  };
  const start = (settings: CheckSettings) =>
    new Checks({ settings, load, now: Date.now, put: (event) => events.push(event), query });
  const scene = { checks: start({ errors, prometheus: [] }), perform };
  return scene;

  async function perform(command: string): Promise<string[]> {
    const [word = '', ...rest] = command.split(' ');
    const [first = '', second = '', third = ''] = rest;
    if (word === 'at') return shorten(await goTo(Number(first)));
    if (word === 'for') return shorten(await goTo(Date.now() / 1000 + Number(first)));
    if (word === 'names') return [`names ${scene.checks.names().join(' ')}; ${scene.checks.whyOff() ?? 'on'}`];
    if (word === 'close') scene.checks.close();
    else if (word === 'watch') scene.checks.watch(toRollout(first, rest.slice(1)));
    else if (word === 'reports')
      for (const node of first.split(','))
        traffic.set(node, { requests: Number(second) * 2, errors: (Number(second) * 2 * Number(third)) / 100 });
    else if (word === 'open') for (const node of first.split(',')) load.nodes.add(node);
    else if (word === 'gone')
      for (const node of first.split(',')) {
        load.nodes.delete(node);
        traffic.delete(node);
      }
    else if (word === 'answer') answers.set(first, toAnswer(second, rest.slice(2).join(' ')));
    else if (word === 'late') hanging.splice(0).forEach((resolve) => resolve({ value: Number(first) }));
    else if (word === 'settings') {
      scene.checks.close();
      scene.checks = start({
        errors: first === 'off' ? null : errors,
        prometheus: rest.filter((name) => name !== 'off').map((name) => ({ ...metric, name })),
      });
    } else throw new Error(`unknown command ${word}`);
    await settle();
    return show();
  }

  function toRollout(version: string, fields: readonly string[]): WatchedRollout | null {
    if (version === 'none') return null;
    const given = Object.fromEntries(fields.map((field) => field.split('=')) as [string, string][]);
    const seconds = (text: string | undefined) => (text === undefined ? Date.now() : Number(text) * 1000);
    const wave = given['wave'] ?? 'all';
    const [requests = 0, failed = 0] = (given['baseline'] ?? '').split('/').map(Number);
    const includes = (node: string) => wave === 'all' || wave.split(',').includes(node);
    return {
      version: versionOf(version),
      since: seconds(given['since']),
      startedAt: seconds(given['started']),
      includes,
      isEveryone: wave === 'all',
      baseline: given['baseline'] === undefined ? null : { requests, errors: failed },
      nodes: () => (wave === 'all' ? [...load.nodes] : wave.split(',')),
    };
  }

  async function goTo(seconds: number): Promise<string[]> {
    const lines: string[] = [];
    while (Date.now() < seconds * 1000) {
      mock.timers.tick(999);
      if (Date.now() % 2000 === 1999) for (const [node, sums] of traffic) load.add(node, sums);
      mock.timers.tick(1);
      await settle();
      lines.push(...show());
    }
    return lines;
  }

  function show(): string[] {
    const lines = [
      ...asked,
      ...events.map(({ at, name, verdict, message, baseline }) => {
        const with_ = baseline === undefined ? '' : ` [${baseline.requests}/${baseline.errors}]`;
        return `${at / 1000} ${name} ${verdict}: ${message}${with_}`;
      }),
    ];
    events = [];
    asked = [];
    return lines;
  }
}

/** Of equal verdicts in a row, the first and the last. */
function shorten(lines: readonly string[]): string[] {
  const kind = (line: string | undefined) => line?.replace(/^\d+ /, '').replace(/:.*/, '');
  const isMiddle = (at: number) => kind(lines[at - 1]) === kind(lines[at]) && kind(lines[at]) === kind(lines[at + 1]);
  return lines.flatMap((line, at) => (isMiddle(at) ? (isMiddle(at - 1) ? [] : ['...']) : [line]));
}

function toAnswer(word: string, words: string): QueryResult | 'never' {
  if (word === 'never') return 'never';
  return word === 'error' ? { error: words } : { value: Number(word) };
}

/** What follows from a query's answer has happened. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
