import type { Located } from './fault.ts';
import { Places } from './place.ts';
import { count } from './words.ts';

/** No config is bigger than this: what is read from git, and what is parsed, is bounded by it (design: "The file"). */
export const maxFileBytes = 16 * 1024 * 1024;

// What YAML lets a file hold: https://yaml.org/spec/1.2.2/#51-character-set (c-printable)
const unprintable = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** The file's text without a byte order mark, or why it is not valid text. Never throws. */
export function decodeText(bytes: Uint8Array): { readonly text: string } | { readonly fault: Located } {
  if (bytes.length > maxFileBytes) return { fault: tooLarge(bytes.length) };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { fault: notUtf8(bytes) };
  }
  const fault = faultIn(text);
  return fault === null ? { text } : { fault };
}

function faultIn(text: string): Located | null {
  // https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: the first line of a pointer file
  if (/^version https:\/\/git-lfs\.[^\n]*\n/.test(text)) return lfsPointer;
  const match = unprintable.exec(text);
  if (match === null) return null;
  const position = new Places(text).at(match.index);
  if (match[0] === '\0') return { ...nulByte, ...position };
  const name = `U+${(match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return {
    code: 'yaml-syntax',
    message: `the character ${name} is not allowed in YAML`,
    ...position,
    hint: 'remove it, or write it as an escape in a double-quoted string',
  };
}

const lfsPointer: Located = {
  code: 'lfs-pointer',
  message: 'this is a Git LFS pointer, not the file itself',
  line: 1,
  column: 1,
  hint: 'keep the config out of LFS: remove its pattern from .gitattributes, then `git rm --cached` and `git add` it again',
};

const nulByte = {
  code: 'nul-byte',
  message: 'the file holds a NUL byte',
  hint: 'it may be UTF-16 or not text at all: save it as UTF-8',
} as const;

function tooLarge(length: number): Located {
  return {
    code: 'file-too-large',
    message: `the file has ${count(length, 'byte')}, and at most ${count(maxFileBytes, 'byte')} are read`,
    line: 1,
    column: 1,
    hint: null,
  };
}

function notUtf8(bytes: Uint8Array): Located {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return {
    code: 'not-utf8',
    message: utf16 ? 'the file is UTF-16' : 'the file is not UTF-8 here',
    ...(utf16 ? { line: 1, column: 1 } : firstBadByte(bytes)),
    hint: 'save it as UTF-8',
  };
}

/** The position of the first invalid byte. Decodes line by line: no UTF-8 sequence contains a line feed. */
function firstBadByte(bytes: Uint8Array): { line: number; column: number } {
  const strict = new TextDecoder('utf-8', { fatal: true });
  for (let line = 1, start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed === -1 ? bytes.length : feed;
    try {
      strict.decode(bytes.subarray(start, end));
    } catch {
      const column = new TextDecoder().decode(bytes.subarray(start, end)).indexOf('\ufffd') + 1;
      return { line, column };
    }
    start = end + 1;
  }
  return { line: 1, column: 1 };
}
