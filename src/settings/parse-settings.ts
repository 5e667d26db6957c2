import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { ParsedNode } from 'yaml';
import { toFaults } from '../config/schema-faults.ts';
import type { Fault, Located } from '../config/fault.ts';
import { Places } from '../config/place.ts';
import { decodeText } from '../config/text.ts';
import { toTree } from '../config/tree.ts';
import { readYaml } from '../config/yaml.ts';
import { throwFaults } from './settings-error.ts';
import type { SettingsFile } from './to-settings.ts';

/** Values that YAML 1.1 would read as booleans. Allowed, since no other program reads this file. */
const words = new Set(['off']);

const schemaUrl = new URL('../../schemas/settings.schema.json', import.meta.url);

/** A settings file that the schema accepts, with defaults filled in. */
export interface ParsedSettings {
  readonly file: SettingsFile;
  /** Throws SettingsError with the faults at their places, if any. */
  readonly refuse: (faults: readonly Fault[]) => void;
}

/** Parses a settings file as strictly as a config, and reports all faults. Throws SettingsError. */
export function parseSettings(bytes: Uint8Array, name: string): ParsedSettings {
  const decoded = decodeText(bytes);
  const source = 'text' in decoded ? decoded.text : '';
  const places = new Places(source);
  const refuseLocated = (faults: readonly Located[]): void => {
    const sorted = faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
    throwFaults({ source: maskCredentials(source), diagnostics: sorted.map((fault) => ({ ...fault, file: name })) });
  };
  if ('fault' in decoded) refuseLocated([decoded.fault]);
  const { data, root, faults } = read(source, places);
  refuseLocated(faults);
  const refuse = (wrong: readonly Fault[]): void => refuseLocated(wrong.map((fault) => places.locate(fault, root)));
  refuse(schemaFaults(data));
  return { file: data as SettingsFile, refuse };
}

function read(text: string, places: Places): { data: unknown; root: ParsedNode | null; faults: readonly Located[] } {
  const yaml = readYaml(text, places);
  // each setting has a default: unlike a config, the file may be empty
  if ('faults' in yaml) return { data: {}, root: null, faults: yaml.faults.filter(({ code }) => code !== 'empty') };
  return { root: yaml.root, ...toTree(yaml.root, text, { places, words }) };
}

/** Lines of the file are drawn to terminals and logs: no user, no password of a URL in them. Columns stay what they are. */
function maskCredentials(source: string): string {
  return source.replace(/(?<=:\/\/)[^\s/?#"']+(?=@)/g, (credentials) => '*'.repeat(credentials.length));
}

/** Also fills in the defaults. */
function schemaFaults(data: unknown): readonly Fault[] {
  const ajv = new Ajv({
    useDefaults: true,
    allErrors: true,
    ownProperties: true,
    allowUnionTypes: true,
    verbose: true,
  });
  const validate = ajv.compile(JSON.parse(readFileSync(schemaUrl, 'utf8')) as object);
  return validate(data) ? [] : toFaults(validate.errors ?? []);
}
