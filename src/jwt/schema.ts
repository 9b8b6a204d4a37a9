/**
 * Fits a payload to a schema of the application's, by the interface that zod, valibot, arktype and
 * others share: Standard Schema, version 1 (https://standardschema.dev).
 */

import { isRewtError, OptionError, type SchemaIssue, TokenError } from '../errors.js';

/**
 * A schema that makes an `Output` of what it is given, or reports why not. As much of the
 * standard as rewt uses.
 */
export interface StandardSchema<Output = unknown> {
  /** The interface of the standard, in version 1. */
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** The result of a schema: its output, or the issues that it found. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly FoundIssue[] };

interface FoundIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Some are functions with the property, such as arktype's. */
export function readSchema(value: unknown, option: string): StandardSchema {
  if (isSchema(value)) return value;
  throw new OptionError(`${option}: must be a Standard Schema, such as those of zod, valibot and arktype`, { option });
}

function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = Reflect.get(value, '~standard');
  if (typeof standard !== 'object' || standard === null) return false;
  return Reflect.get(standard, 'version') === 1 && typeof Reflect.get(standard, 'validate') === 'function';
}

/**
 * Applies the schema to the payload of a verified token. Returns its output, or a promise if the
 * schema is asynchronous.
 *
 * @throws {TokenError} ERR_REWT_SCHEMA if the payload does not fit; {OptionError} if the schema
 * itself fails. Also in the promise.
 */
export function applySchema(payload: unknown, schema: StandardSchema): unknown {
  try {
    const result: unknown = schema['~standard'].validate(payload);
    return isThenable(result) ? awaitOutput(result) : outputOf(result);
  } catch (error) {
    throw asOurs(error);
  }
}

async function awaitOutput(result: PromiseLike<unknown>): Promise<unknown> {
  try {
    return outputOf(await result);
  } catch (error) {
    throw asOurs(error);
  }
}

/** Applies the schema at once. @throws {OptionError} also if the schema is asynchronous. */
export function applySchemaSync(verified: unknown, schema: StandardSchema): unknown {
  const payload = applySchema(verified, schema);
  if (!(payload instanceof Promise)) return payload;
  // Its outcome is ignored.
  payload.catch(() => {});
  throw wrong('it answers with a promise, and verifySync() waits for nothing: await verify() in its place');
}

/** Why a verification ends before its schema does. */
export function schemaTimedOut(): OptionError {
  return wrong('it did not answer within storeTimeout: let it call no other service, or allow more time');
}

/**
 * What fits has no issues, and there is what it became; whatever else was answered is no
 * permission.
 */
function outputOf(result: unknown): unknown {
  const answer = result as SchemaResult<unknown>;
  if (answer.issues) throw refused(answer.issues);
  if (!Object.hasOwn(answer, 'value')) throw wrong('it gave neither a value nor issues');
  // The promise of verify() would wait for it, for as long as it likes, and fail with an error of
  // its own.
  if (isThenable(answer.value)) throw wrong('its value has a then(), so that no promise can hand it on');
  return answer.value;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return typeof Reflect.get(value, 'then') === 'function';
}

function refused(found: readonly FoundIssue[]): TokenError {
  // Custom lists, such as arktype's, have another map().
  const issues = Array.from(found, ({ message, path = [] }): SchemaIssue => {
    const keys = Array.from(path, (segment) => (typeof segment === 'object' ? segment.key : segment));
    return Object.freeze({ message, path: Object.freeze(keys) });
  });
  const message = 'jwt payload does not fit the schema';
  return new TokenError({ code: 'ERR_REWT_SCHEMA', message, issues: Object.freeze(issues) });
}

/** Without what was thrown: its text may contain the payload. */
function asOurs(error: unknown): unknown {
  return isRewtError(error) ? error : wrong('it failed; call its validate() with such a payload to see why');
}

function wrong(sentence: string): OptionError {
  return new OptionError(`schema: ${sentence}`, { option: 'schema' });
}
