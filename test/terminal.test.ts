import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { drawDiagnostic } from '../src/terminal.ts';
import type { Diagnostic } from '../src/config/diagnostic.ts';

const plain = { color: false };

function diagnostic(changes: Partial<Diagnostic>): Diagnostic {
  return { code: 'schema', message: 'm', file: 'f.yaml', line: 1, column: 1, hint: null, ...changes };
}

describe('drawDiagnostic', () => {
  it('draws the place, the line, the caret and the hint', () => {
    const drawn = drawDiagnostic(
      diagnostic({ line: 2, column: 16, message: 'total_hosts must be an integer', hint: 'write 8' }),
      'shuffle_sharding:\n  total_hosts: "8"\n',
      plain,
    );
    assert.equal(
      drawn,
      [
        'f.yaml:2:16: error: total_hosts must be an integer [schema]',
        '    total_hosts: "8"',
        '                 ^',
        '  hint: write 8',
      ].join('\n'),
    );
  });

  it('draws the head alone where there is no source, no such line or nothing on it', () => {
    for (const source of [null, 'one\n', 'one\n  \n']) {
      assert.equal(drawDiagnostic(diagnostic({ line: 2 }), source, plain), 'f.yaml:2:1: error: m [schema]');
    }
  });

  it('draws no place where there is no file, and no line for what is not about one', () => {
    for (const code of ['check-failed', 'aborted'] as const)
      assert.equal(drawDiagnostic(diagnostic({ code, file: '' }), 'one\n', plain), `error: m [${code}]`);
  });

  it('puts the caret behind the last character for what is missing there', () => {
    assert.deepEqual(caret('ab', 3), { text: 'ab', at: 2 });
    assert.deepEqual(caret('ab', 99), { text: 'ab', at: 2 });
  });

  it('shows a tab as one column', () => {
    assert.deepEqual(caret('\tab\tc', 5), { text: ' ab c', at: 4 });
  });

  it('counts wide characters as two columns, and marks as none', () => {
    assert.deepEqual(caret('客户: x', 5), { text: '客户: x', at: 6 });
    assert.deepEqual(caret('e\u0301: x', 5), { text: 'e\u0301: x', at: 3 });
    assert.deepEqual(caret('🚀: x', 5), { text: '🚀: x', at: 4 });
  });

  it('cuts a long line around the caret', () => {
    const line = `${'a'.repeat(1000)}X${'b'.repeat(1000)}`;
    assert.deepEqual(caret(line, 1001), { text: `…${'a'.repeat(60)}X${'b'.repeat(39)}…`, at: 61 });
    assert.deepEqual(caret(line, 1), { text: `${'a'.repeat(100)}…`, at: 0 });
    assert.deepEqual(caret(line, 2001), { text: `…${'b'.repeat(61)}`, at: 61 });
  });

  it('leaves out a carriage return and a byte order mark', () => {
    assert.deepEqual(caret('ab\r', 2), { text: 'ab', at: 1 });
    assert.deepEqual(caret('\ufeffab', 2), { text: 'ab', at: 1 });
  });

  it('lets nothing through to the terminal that moves its cursor or reorders its text', () => {
    const nasty = 'a\x1b[31m\x07\x9b\u202e\u2028\u200b';
    const changes = { message: nasty, file: nasty, hint: nasty, column: 3 };
    const drawn = drawDiagnostic(diagnostic(changes), nasty, plain);
    assert.doesNotMatch(drawn, /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    assert.match(drawn, /^ {2}a\ufffd\[31m\ufffd{5}$/m);
  });

  it('colors on demand, and only then', () => {
    const colored = drawDiagnostic(diagnostic({ hint: 'h' }), 'a', { color: true });
    assert.ok(colored.includes('\x1b[31m'));
    assert.equal(stripVTControlCharacters(colored), drawDiagnostic(diagnostic({ hint: 'h' }), 'a', plain));
  });
});

/** The drawn source line, and the column that the caret is under. */
function caret(line: string, column: number): { text: string; at: number } {
  const [, text = '', marker = ''] = drawDiagnostic(diagnostic({ column }), line, plain).split('\n');
  return { text: text.slice(2), at: marker.length - 3 };
}
