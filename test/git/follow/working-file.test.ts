import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { access, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRepository } from '../../../src/git/read/repository.ts';
import { newestRevision } from '../../../src/git/read/revisions.ts';
import { workingFileState } from '../../../src/git/follow/working-file.ts';
import { git, makeRepository, temporaryFolder } from '../../helpers/git.ts';

const file = 'shard-config.yaml';

test('a saved file: the same, other line ends, edited, and everything that must not be read', async () => {
  await using repository = await makeRepository();
  const tip = await repository.commit({ [file]: 'a: 1\nb: 2\n' });
  const opened = await openRepository(repository.path);
  const committed = (await newestRevision(opened, { tip, file }))!.content;
  const path = join(repository.path, file);
  const state = async (): Promise<string> => {
    const found = await workingFileState(opened, file, committed);
    if (found === 'same') return found;
    return 'bytes' in found ? found.bytes.toString() : found.fault.code;
  };
  assert.equal(await state(), 'same');
  await writeFile(path, 'a: 1\r\nb: 2\r\n');
  assert.equal(await state(), 'same');
  await writeFile(path, 'a: 2\n');
  assert.equal(await state(), 'a: 2\n');
  await rm(path);
  assert.equal(await state(), 'file-missing');
  execFileSync('mkfifo', [path]);
  assert.equal(await state(), 'file-not-regular');
  await rm(path);
  await symlink('/dev/zero', path);
  assert.equal(await state(), 'file-not-regular');
  await rm(path);
  await mkdir(path);
  assert.equal(await state(), 'file-not-regular');
  await rm(path, { recursive: true });
  await writeFile(path, '');
  await truncate(path, 10 * 1024 ** 3);
  assert.equal(await state(), 'file-too-large');
});

test('a bare repository has nothing saved, and what was never there is no difference', async () => {
  await using folder = await temporaryFolder();
  await git(folder.path, ['init', '--quiet', '--bare', '.']);
  assert.equal(await workingFileState(await openRepository(folder.path), file, null), 'same');
  await using repository = await makeRepository();
  assert.equal(await workingFileState(await openRepository(repository.path), file, null), 'same');
});

test('what git would store by its attributes is what is compared, and no filter is run for it', async () => {
  await using folder = await temporaryFolder();
  const canary = join(folder.path, 'canary');
  const utf16 = (text: string, mark = true): Buffer => Buffer.from(`${mark ? '\ufeff' : ''}${text}`, 'utf16le');
  const text = 'a: 1 # é\n';
  const cases: [attributes: string, saved: string | Buffer][] = [
    ['working-tree-encoding=UTF-16', utf16(text)],
    ['working-tree-encoding=utf-16', utf16(text).swap16()],
    ['working-tree-encoding=UTF-16LE', utf16(text, false)],
    ['working-tree-encoding=UTF-16BE', utf16(text, false).swap16()],
    ['working-tree-encoding=UTF-16LE-BOM', utf16(text)],
    ['working-tree-encoding=UTF-16 text eol=crlf', utf16(text.replace('\n', '\r\n'))],
    ['working-tree-encoding=ISO-8859-1', Buffer.from(text, 'latin1')],
    ['working-tree-encoding=UTF-8', text],
    ['-working-tree-encoding', text],
    ['ident', '# $Id: 0123 $ and $Id$ and $Id: no\n$ $Ident: 5 $\na: 1\n'],
    ['-ident', '# $Id: 0123 $\n'],
    ['ident working-tree-encoding=UTF-16', utf16('# $Id: 0123 $\na: 1\n')],
    ['filter=spy', text],
  ];
  // `ident` as a file's name must not be taken for the attribute
  for (const name of [file, 'ident']) {
    for (const [attributes, saved] of cases) {
      await using repository = await makeRepository();
      await repository.write({ '.gitattributes': `${name} ${attributes}\n`, [name]: saved });
      const tip = await repository.commit({});
      await repository.git('config', 'filter.spy.clean', `touch ${canary}; cat`);
      const opened = await openRepository(repository.path);
      const committed = (await newestRevision(opened, { tip, file: name }))!.content;
      assert.equal(await workingFileState(opened, name, committed), 'same', attributes);
      const edited = Buffer.concat([Buffer.from(saved), Buffer.from(saved)]);
      await repository.write({ [name]: edited });
      const state = await workingFileState(opened, name, committed);
      await assert.rejects(access(canary), attributes);
      if (attributes === 'filter=spy') assert.equal(state, 'same');
      if (/UTF-16($| |-LE-BOM)|utf-16|filter|BOM/.test(attributes)) continue; // a second mark is a character
      await repository.git('add', name);
      const stored = await repository.git('rev-parse', `:${name}`);
      assert.ok(state !== 'same' && 'bytes' in state, attributes);
      await repository.write({ stored: state.bytes });
      assert.equal(await repository.git('hash-object', '--no-filters', 'stored'), stored, attributes);
    }
  }
});

test('what git would refuse to store is checked as it is', async () => {
  await using repository = await makeRepository();
  await repository.write({ '.gitattributes': `${file} working-tree-encoding=UTF-16\n` });
  const opened = await openRepository(repository.path);
  for (const [encoding, saved] of [
    ['UTF-16', 'a: 1\n'],
    ['UTF-16BE', '\ufeffa: 1'],
    ['not-an-encoding', 'a: 1\n'],
  ] as const) {
    const bytes = encoding === 'UTF-16BE' ? Buffer.from(saved, 'utf16le').swap16() : Buffer.from(saved);
    await repository.write({ '.gitattributes': `${file} working-tree-encoding=${encoding}\n`, [file]: bytes });
    await assert.rejects(repository.git('add', file), encoding);
    const state = await workingFileState(opened, file, null);
    assert.ok(state !== 'same' && 'bytes' in state && state.bytes.equals(bytes), encoding);
  }
});
