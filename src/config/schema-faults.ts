import { descriptionOf, knownKeys, propertyOf, toPath } from './schema-error.ts';
import type { ErrorObject } from 'ajv';
import { addressFault } from './host-address.ts';
import type { Fault, Path } from './fault.ts';
import { didYouMean, nearest } from './nearest.ts';
import { belongsHint, missingSpaceHint } from './slips.ts';
import { count, either, valueKind, nameOf, show } from './words.ts';

/** Bound on the faults of a file: 16 MiB can have a million. */
export const maxFaults = 10_000;

type Words = Pick<Fault, 'message' | 'hint'> & Partial<Pick<Fault, 'code' | 'at' | 'path'>>;

interface Context extends Failure {
  readonly path: Path;
  /** The value's name in the message. */
  readonly name: string;
  /** The `description` of the schema that failed, or null. */
  readonly description: string | null;
}

/** Rewrites the validator's errors as faults for an operator. Needs ajv's `verbose`. */
export function toFaults(errors: readonly ErrorObject[]): Fault[] {
  const failures = foldBranches(errors).slice(0, maxFaults);
  // a misspelt key is one fault, and not also a missing key
  const guessed = new Set(failures.flatMap(({ error }) => guessedKey(error) ?? []));
  return failures.filter((failure) => !missingKeys(failure).some((key) => guessed.has(key))).map(toFault);
}

interface Failure {
  readonly error: ErrorObject;
  /** The errors of the branches, where this one is an `anyOf` or a `oneOf`. */
  readonly branches: readonly ErrorObject[];
}

/** The validator gives the errors of a union's branches right before the union's own. */
function foldBranches(errors: readonly ErrorObject[]): Failure[] {
  const failures: Failure[] = [];
  for (const error of errors) {
    // the name's own error says it
    if (error.keyword === 'propertyNames') continue;
    let start = failures.length;
    if (error.keyword === 'anyOf' || error.keyword === 'oneOf')
      while (isBranch(failures[start - 1]?.error, error)) start--;
    failures.push({ error, branches: failures.splice(start).map((branch) => branch.error) });
  }
  return failures;
}

function toFault({ error, branches }: Failure): Fault {
  const owner = toPath(error.instancePath);
  const path = error.propertyName === undefined ? owner : [...owner, error.propertyName];
  const name = error.propertyName === undefined ? nameOf(path) : `the key ${show(error.propertyName)}`;
  const words = inWords({ error, path, name, description: descriptionOf(error.parentSchema), branches });
  const at = error.propertyName === undefined ? 'value' : 'key';
  return { code: 'schema', path, at, ...words };
}

/** True for an error that only says why one branch of the union did not match. */
function isBranch(error: ErrorObject | undefined, union: ErrorObject): boolean {
  if (error?.schemaPath.startsWith(`${union.schemaPath}/`) !== true) return false;
  return error.instancePath.startsWith(union.instancePath);
}

// the keywords for which we have a better message than the validator
const explainers: Readonly<Record<string, (context: Context) => Words>> = {
  type: explainType,
  minimum: explainRange,
  maximum: explainRange,
  exclusiveMinimum: explainRange,
  exclusiveMaximum: explainRange,
  required: ({ error, name, description }) => ({
    message: `${name} lacks the key ${show(error.params['missingProperty'])}`,
    hint: descriptionOf(propertyOf(error, String(error.params['missingProperty']))) ?? description,
    at: 'key',
  }),
  additionalProperties: ({ error, ...context }) =>
    unknownKey(String(error.params['additionalProperty']), error, context),
  unevaluatedProperties: ({ error, ...context }) =>
    unknownKey(String(error.params['unevaluatedProperty']), error, context),
  pattern: explainPattern,
  minLength: ({ error, name, description }) => ({
    message: `${name} is shorter than ${count(Number(error.params['limit']), 'character')}`,
    hint: description,
  }),
  maxLength: ({ error, name, description }) => ({
    message: `${name} is longer than ${count(Number(error.params['limit']), 'character')}`,
    hint: description,
  }),
  minItems: explainItems,
  maxItems: explainItems,
  minProperties: explainProperties,
  maxProperties: explainProperties,
  enum: ({ error, name, description }) => ({
    message: `${name} must be ${allowed(error.params['allowedValues'])}, not ${show(error.data)}`,
    hint: description,
  }),
  const: ({ error, name, description }) => ({
    message: `${name} must be ${show(error.params['allowedValue'])}, not ${show(error.data)}`,
    hint: description,
  }),
  format: ({ error, name, description }) => ({
    message: `${name} is not of the format ${show(error.params['format'])}: ${show(error.data)}`,
    hint: description,
  }),
  anyOf: explainUnion,
  oneOf: explainUnion,
};

function inWords(context: Context): Words {
  const { error, name, description } = context;
  const explainer = Object.hasOwn(explainers, error.keyword) ? explainers[error.keyword] : undefined;
  if (explainer !== undefined) return explainer(context);
  return { message: `${name} ${error.message ?? `fails the schema's ${show(error.keyword)}`}`, hint: description };
}

function explainType({ error, name, description }: Context): Words {
  const types = [error.params['type']].flat().map(String);
  const got = typeof error.data === 'string' ? `the string ${show(error.data)}` : describeValue(error.data);
  return {
    message: `${name} must be ${either(types.map(typeName))}, not ${got}`,
    hint: missingSpace(error) ?? typeHint(types, error.data) ?? description,
  };
}

/** `shard_size:3` where the mapping was meant. */
function missingSpace(error: ErrorObject): string | null {
  return typeof error.data === 'string' ? missingSpaceHint(error.data, knownKeys(error)) : null;
}

function describeValue(value: unknown): string {
  return typeof value === 'object' || value === undefined ? valueKind(value) : show(value);
}

function typeName(type: string): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a mapping',
    array: 'a list',
    integer: 'an integer',
    null: 'nothing',
  };
  return names[type] ?? `a ${type}`;
}

function typeHint(types: readonly string[], value: unknown): string | null {
  const numeric = types.includes('integer') || types.includes('number');
  if (numeric && typeof value === 'string' && /^[0-9]+$/.test(value))
    return `write ${show(value).slice(1, -1)}, without the quotes`;
  if (Number.isNaN(value)) return '.nan is not a number: quote it to push it as a string';
  if (typeof value === 'number' && !Number.isFinite(value))
    return 'no number here may be infinite: quote it to push it as a string';
  if (value === null) return 'there is no value here: write one, or remove the key';
  return null;
}

function explainRange({ error, name, description }: Context): Words {
  const { minimum, maximum } = (error.parentSchema ?? {}) as { minimum?: number; maximum?: number };
  const range =
    minimum !== undefined && maximum !== undefined
      ? `from ${minimum} to ${maximum}`
      : `${String(error.params['comparison'])} ${String(error.params['limit'])}`;
  return { message: `${name} must be ${range}, not ${show(error.data)}`, hint: description };
}

function explainItems({ error, name, description }: Context): Words {
  const side = error.keyword === 'minItems' ? 'least' : 'most';
  return {
    message: `${name} must have at ${side} ${count(Number(error.params['limit']), 'item')}, not ${(error.data as unknown[]).length}`,
    hint: description,
  };
}

function explainProperties({ error, name, description }: Context): Words {
  const side = error.keyword === 'minProperties' ? 'least' : 'most';
  const limit = Number(error.params['limit']);
  return {
    message: `${name} must have at ${side} ${count(limit, 'key')}, not ${Object.keys(error.data as object).length}`,
    hint: description,
  };
}

function explainPattern({ error, path, name, description }: Context): Words {
  if (isHost(path)) return explainHost(error.data, name);
  if (error.propertyName !== undefined) return { message: `${name} is not of the required form`, hint: description };
  const form = description === null ? `the pattern ${show(error.params['pattern'])}` : 'the required form';
  return { message: `${name} is not of ${form}: ${show(error.data)}`, hint: description };
}

/** `shuffle_sharding.hosts.3`, or its `address`. */
function isHost(path: readonly string[]): boolean {
  const [section, key, , member = 'address', ...rest] = path;
  return (
    section === 'shuffle_sharding' && key === 'hosts' && path.length > 2 && member === 'address' && rest.length === 0
  );
}

function explainHost(value: unknown, name: string): Words {
  const reason = addressFault(String(value)) ?? { message: 'is not of the required form', hint: null };
  return { code: 'bad-host', message: `${name}: ${show(value)} ${reason.message}`, hint: reason.hint };
}

function explainUnion({ name, description, branches }: Context): Words {
  if (branches.length > 0 && branches.every(({ keyword }) => keyword === 'required')) {
    const keys = branches.map(({ params }) => show(params['missingProperty']));
    return { message: `${name} lacks the key ${either(keys)}`, hint: description, at: 'key' };
  }
  return { message: `${name} matches none of the forms that the schema allows`, hint: description };
}

function unknownKey(key: string, error: ErrorObject, { path, name }: Omit<Context, 'error'>): Words {
  const known = knownKeys(error);
  const all = known.length === 0 ? null : `known here: ${known.slice(0, 20).join(', ')}`;
  return {
    code: 'unknown-key',
    message: `${name} has no key ${show(key)}`,
    hint:
      missingSpaceHint(key, known) ?? belongsHint(key, error.parentSchema, error.data) ?? didYouMean(key, known) ?? all,
    path: [...path, key],
    at: 'key',
  };
}

/** The path that an unknown key was probably meant to have. */
function guessedKey(error: ErrorObject): string | null {
  const unknown: unknown = error.params['additionalProperty'] ?? error.params['unevaluatedProperty'];
  const guess = typeof unknown === 'string' ? nearest(unknown, knownKeys(error)) : null;
  return guess === null ? null : `${error.instancePath}/${guess}`;
}

/** The paths of the keys that a failure says are missing. */
function missingKeys({ error, branches }: Failure): string[] {
  const missing = [error, ...branches].filter(({ keyword }) => keyword === 'required');
  return missing.map(({ instancePath, params }) => `${instancePath}/${String(params['missingProperty'])}`);
}

function allowed(values: unknown): string {
  return either((Array.isArray(values) ? values : [values]).slice(0, 10).map(show));
}
