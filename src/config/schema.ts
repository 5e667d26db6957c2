import { Ajv, type AnySchema, type ErrorObject, type Options } from 'ajv';
import type AjvCore from 'ajv/dist/core.js';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { toFaults } from './schema-faults.ts';
import type { Fault } from './fault.ts';
import { neededShape, shardConfigSchema } from './schema-file.ts';
import { printable } from './words.ts';

/** A compiled JSON Schema. */
export interface SchemaValidator {
  /** False where the user's own schema replaces ours: then runtime values are pushed as they are. */
  readonly builtin: boolean;
  /** The user's own schema, or null: another thread compiles it for itself. */
  readonly schema: object | null;
  /** What the data does that the schema doesn't allow. Never throws. */
  faults(data: unknown): readonly Fault[];
}

type Check = (data: unknown) => readonly ErrorObject[];

const options: Options = {
  // every fault at once; `toFaults` limits how many are reported
  allErrors: true,
  // include schema and data in the errors, for the messages
  verbose: true,
  // `toString` and `__proto__` are no keys of a mapping that doesn't have them
  ownProperties: true,
  logger: false,
};

/**
 * The user's own schema, or the built-in one for null. Understands JSON Schema draft-07, 2019-09 and 2020-12 (the
 * default without a `$schema`).
 * @throws Error for the operator, when `schema` is not a JSON Schema or refers to another file.
 */
export function compileSchema(schema: object | null): SchemaValidator {
  if (schema === null) return { builtin: true, schema, faults: faultsOf(compile(shardConfigSchema)) };
  const own = faultsOf(compileOwn(schema));
  const shape = faultsOf(compile(neededShape));
  return {
    builtin: false,
    schema,
    faults: (data) => {
      const faults = own(data);
      return faults.length > 0 ? faults : shape(data);
    },
  };
}

function compile(schema: object): Check {
  // the anyOf of shuffle_sharding names keys that its sibling `properties` defines
  return toCheck(new Ajv2020({ ...options, strict: true, strictRequired: false, allowUnionTypes: true }), schema);
}

function compileOwn(schema: object): Check {
  if (Array.isArray(schema)) throw new Error('not a valid JSON Schema: it is a list');
  const ajv = ajvFor((schema as { $schema?: unknown }).$schema);
  try {
    return toCheck(ajv, schema);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`not a valid JSON Schema: ${printable(reason).slice(0, 500)}`, { cause: error });
  }
}

function ajvFor(dialect: unknown): AjvCore.default {
  // a user's schema may have keywords for other tools
  const lenient = { ...options, strict: false };
  if (dialect === undefined) return new Ajv2020(lenient);
  if (typeof dialect === 'string') {
    if (/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/.test(dialect)) return new Ajv2020(lenient);
    if (/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/.test(dialect)) return new Ajv2019(lenient);
    if (/^https?:\/\/json-schema\.org\/draft-07\/schema#?$/.test(dialect)) return new Ajv(lenient);
  }
  throw new Error(`not a JSON Schema of draft-07, 2019-09 or 2020-12: its $schema is ${JSON.stringify(dialect)}`);
}

function toCheck(ajv: AjvCore.default, schema: object): Check {
  addFormats.default(ajv);
  const validate = ajv.compile(schema as AnySchema);
  if ('$async' in validate) throw new Error('$async is for schemas that do I/O, and this one may not');
  return (data) => (validate(data) ? [] : (validate.errors ?? []));
}

function faultsOf(check: Check): (data: unknown) => readonly Fault[] {
  return (data) => {
    try {
      return toFaults(check(data));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return [
        {
          code: 'schema',
          message: `the schema could not be applied: ${printable(reason).slice(0, 200)}`,
          hint: null,
          path: [],
          at: 'value',
        },
      ];
    }
  };
}
