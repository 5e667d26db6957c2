/** What YAML 1.1, which many readers still follow, makes of a plain scalar that is a string or another number in YAML 1.2. */
const otherwise: readonly (readonly [RegExp, string])[] = [
  [/^(?:yes|Yes|YES|on|On|ON)$/, 'true'],
  [/^(?:no|No|NO|off|Off|OFF)$/, 'false'],
  [/^[-+]?0[0-9]+$/, 'an octal number'],
  [/^[-+]?0o[0-7]+$/, 'a string'],
  [/^[-+]?0b[01_]+$/, 'a binary number'],
  [/^[-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?$/, 'a number'],
  [/^[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/, 'a number to the base of 60'],
];

// no value that is longer is one of these: a file of 16 MiB may be one scalar
const longest = 64;

/** What an older reader takes the plain scalar `source` for, or null where all read it alike (https://yaml.org/type/). */
export function otherReading(source: string): string | null {
  if (source.length > longest) return null;
  return otherwise.find(([pattern]) => pattern.test(source))?.[1] ?? null;
}
