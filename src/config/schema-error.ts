import type { ErrorObject } from 'ajv';

export function knownKeys({ parentSchema }: ErrorObject): string[] {
  return Object.keys((parentSchema?.['properties'] as object | undefined) ?? {});
}

/** The schema of the key `name` in the schema that failed. */
export function propertyOf({ parentSchema }: ErrorObject, name: string): object | undefined {
  const properties = (parentSchema?.['properties'] ?? {}) as Readonly<Record<string, object>>;
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

export function descriptionOf(schema: object | undefined): string | null {
  const description: unknown = schema === undefined ? undefined : (schema as Record<string, unknown>)['description'];
  return typeof description === 'string' ? description.slice(0, 300).toWellFormed() : null;
}

/** The steps of a JSON pointer: RFC 6901. */
export function toPath(pointer: string): string[] {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
