/** Plain scalars that YAML 1.1, which many parsers still follow, reads differently from YAML 1.2. */
const otherwise: readonly (readonly [RegExp, string])[] = [
  [/^(?:yes|Yes|YES|on|On|ON)$/, 'true'],
  [/^(?:no|No|NO|off|Off|OFF)$/, 'false'],
  [/^[-+]?0[0-9]+$/, 'an octal number'],
  [/^[-+]?0o[0-7]+$/, 'a string'],
  [/^[-+]?0b[01_]+$/, 'a binary number'],
  [/^[-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?$/, 'a number'],
  [/^[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/, 'a number to the base of 60'],
];

// longer scalars are none of these, and one may be 16 MiB long
const longest = 64;

/** What a YAML 1.1 parser reads the plain scalar `source` as, or null where all agree (https://yaml.org/type/). */
export function otherReading(source: string): string | null {
  if (source.length > longest) return null;
  return otherwise.find(([pattern]) => pattern.test(source))?.[1] ?? null;
}
