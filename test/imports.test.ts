import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const root = new URL('../src/', import.meta.url).pathname;
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** What a file imports of ours when it runs: types alone are no dependency then. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s+(?!type\b)([^;]*?)\s*from\s+'(\.[^']+)';/gm);
  const atRuntime = [...statements].filter(([, names = '']) => !/^\{(\s*type\s[^,}]+,?)+\s*\}$/.test(names));
  return atRuntime.map(([, , path = '']) => relative(root, join(root, dirname(file), path)));
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

test('a cycle is found', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']],
  ]);
  assert.deepEqual(findCycle(graph), ['b', 'c', 'b']);
});
