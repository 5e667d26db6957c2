import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const log = new URL('../../src/daemon/log.ts', import.meta.url).href;

function say(format: string, message: string): string {
  const script = `import { createLog } from ${JSON.stringify(log)};
    createLog({ level: 'info', format: ${JSON.stringify(format)} }, {}).warn({ hint: process.argv[1] }, process.argv[1]);`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script, message], {
    encoding: 'utf8',
    timeout: 20_000,
  }).stderr;
}

test('what Envoy or a commit says can neither forge a line nor move the cursor', () => {
  const text = say('text', 'bad\n12:00:00.000 info  live is deadbeef\u001b[2K');
  assert.equal(text.split('\n').length, 2, text);
  assert.ok(!text.includes('\u001b'), text);
  assert.match(text, /^\d\d:\d\d:\d\d\.\d{3} warn {2}bad\\u\{a\}12:00:00/);
});

test('JSON is one line for each event', () => {
  const { level, msg } = JSON.parse(say('json', 'a\nb')) as { level: string; msg: string };
  assert.deepEqual([level, msg], ['warn', 'a\nb']);
});

test('no secret is in a message or a field', () => {
  const script = `import { createLog } from ${JSON.stringify(log)};
    const redact = (text) => text.replaceAll('hunter2', '***');
    const log = createLog({ level: 'info', format: process.argv[1] }, {}, redact);
    log.warn({ hint: 'h hunter2', drawn: 'd hunter2', ms: 7 }, 'm hunter2');
    log.error(new Error('e hunter2'));`;
  for (const format of ['text', 'json']) {
    const args = ['--input-type=module', '-e', script, format];
    const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
    assert.doesNotMatch(stderr, /hunter2/);
    for (const words of ['h \\*\\*\\*', 'd \\*\\*\\*', 'm \\*\\*\\*', 'e \\*\\*\\*', '7'])
      assert.match(stderr, new RegExp(words));
  }
});
