import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = new URL('../src/', import.meta.url).pathname;
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** What a file imports of ours, types too. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s[^;]*?from\s+'(\.[^']+)';/gm);
  return [...statements].map(([, path = '']) => relative(root, join(root, dirname(file), path)));
}

function findCycle(graph: ReadonlyMap<string, string[]>): string[] | null {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    const start = path.indexOf(file);
    if (start >= 0) return [...path.slice(start), file];
    if (done.has(file)) return null;
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return null;
}

test('no file imports itself, over others', () => {
  const graph = new Map(files.map((file) => [file, importsOf(file)]));
  const edges = [...graph.values()].flat();
  assert.ok(edges.length > files.length, 'imports are found');
  for (const target of edges) assert.ok(graph.has(target), `${target} is a file of src/`);
  assert.deepEqual(findCycle(graph), null);
});

/** The folder of a file, as the picture in CONTRIBUTING.md has it; null for a file of src/ itself. */
function roomOf(file: string): string | null {
  if (file.startsWith('xds/stream/')) return 'xds_stream';
  return file.includes('/') ? (file.split('/')[0] ?? null) : null;
}

/** What each folder may import, directly or by way of others: the arrows of the picture. */
function readPicture(): (from: string, to: string) => boolean {
  const text = readFileSync(join(root, '../CONTRIBUTING.md'), 'utf8');
  const arrows = new Map(
    [...text.matchAll(/^ {4}(\w+) --> (.*)$/gm)].map(([, from = '', to = '']) => [from, to.split(' & ')]),
  );
  assert.ok(arrows.size > 10, 'the picture is found');
  const reaches = (from: string, to: string): boolean =>
    from === to || (arrows.get(from) ?? []).some((next) => reaches(next, to));
  return reaches;
}

test('imports, of types too, go along the arrows of CONTRIBUTING.md', () => {
  const mayImport = readPicture();
  const astray = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const targets = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path = '']) =>
      relative(root, join(root, dirname(file), path)),
    );
    const from = roomOf(file);
    if (from === null) return [];
    return targets
      .filter((target) => {
        const to = roomOf(target);
        return to !== null && !mayImport(from, to);
      })
      .map((target) => `${file} -> ${target}`);
  });
  assert.deepEqual(astray, []);
});

test('a cycle is found', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']],
  ]);
  assert.deepEqual(findCycle(graph), ['b', 'c', 'b']);
});

/** The rules that say no to a text, were it in that file of src/. Those that need types are off: they cost seconds. */
const eslint = new ESLint({ overrideConfig: [tseslint.configs.disableTypeChecked] });
async function saysNo(file: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath: join(root, file) });
  assert.deepEqual(
    result?.messages.filter(({ fatal }) => fatal),
    [],
    text,
  );
  return [...new Set(result.messages.map(({ ruleId }) => ruleId ?? ''))].filter((rule) =>
    rule.startsWith('no-restricted-'),
  );
}

const pureFolders = ['config', 'plan', 'release', 'revisions', 'rollout', 'shard', 'state', 'xds/stream'];

for (const folder of pureFolders) {
  test(`${folder}/ is pure: it imports nothing that does I/O or knows more than it`, async () => {
    const up = folder.replaceAll(/[^/]+/g, '..');
    const forbidden = [
      `${up}/git/exec/run.ts`,
      `${up}/feedback/outbox.ts`,
      `${up}/xds/xds-server.ts`,
      `${up}/daemon/daemon.ts`,
      `./${up}/git/exec/run.ts`,
      `../xds-server.ts`,
      `node:fs`,
      `fs`,
      `node:util`,
      `pino`,
      `@grpc/grpc-js`,
      `ajv/dist/../../pino/pino.js`,
    ];
    for (const path of forbidden) {
      const texts = [
        `import { x } from '${path}'; x();`,
        `import type { X } from '${path}';`,
        `export * from '${path}';`,
      ];
      for (const text of texts) assert.deepEqual(await saysNo(`${folder}/x.ts`, text), ['no-restricted-imports'], text);
    }
    assert.deepEqual(await saysNo(`${folder}/x.ts`, `import { x } from './y.ts'; x();`), []);
  });

  test(`${folder}/ is pure: it reads no clock and reaches for nothing around it`, async () => {
    const texts = [
      'Date.now()',
      'new Date()',
      'Date()',
      'Math.random()',
      'performance.now()',
      'process.env',
      'setTimeout(f)',
    ];
    for (const text of [...texts, 'fetch(x)', 'crypto.randomUUID()', 'globalThis.process', "import('node:fs')"])
      assert.equal((await saysNo(`${folder}/x.ts`, `void ${text};`)).length, 1, text);
    assert.deepEqual(await saysNo(`${folder}/x.ts`, 'void new Date(0);'), []);
  });
}

test('what is not pure may do I/O', async () => {
  assert.deepEqual(await saysNo('git/x.ts', "import { x } from 'node:fs'; x(Date.now(), process.env);"), []);
});

test('facts are written down in one place', () => {
  const callers = (call: RegExp): string[] => files.filter((file) => call.test(readFileSync(join(root, file), 'utf8')));
  for (const call of [
    /\bjournal\.add\(/,
    /\bmetrics\.count\(/,
    /(?<!function )\blogFact\(/,
    /(?<!function )\btoReport\(/,
  ])
    assert.deepEqual(callers(call), ['daemon/recorder.ts'], String(call));
  assert.deepEqual(callers(/(?<!function )\bwriteFact\(/), ['ledger/sqlite/commit.ts']);
  assert.deepEqual(callers(/\bcontroller\.apply\(/), ['daemon/parts.ts'], 'all comes through the inbox');
});
