import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url).pathname;

/** Scripts of the daemon's threads and processes: nothing imports them. */
function scriptsOfSource(): string[] {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.startsWith('cli/'),
  );
  return files.flatMap((file) => {
    const text = readFileSync(join(root, 'src', file), 'utf8');
    return [...text.matchAll(/'(\.\/[\w-]+\.ts)'\s*:\s*'\.\/[\w-]+\.js'/g)].map(([, name = '']) =>
      join('src', dirname(file), name),
    );
  });
}

test('the benchmark compiles the scripts of threads and processes: without the ledger’s, it measured one that failed', () => {
  const scripts = scriptsOfSource();
  assert.ok(scripts.length >= 3, String(scripts));
  const { include } = JSON.parse(readFileSync(join(root, 'scripts/bench/tsconfig.build.json'), 'utf8')) as {
    include: string[];
  };
  for (const script of scripts) assert.ok(include.includes(`../../${script}`), `${script} is missing`);
});
