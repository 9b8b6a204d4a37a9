/** Fits a payload to a schema of the application's, by the interface that zod, valibot, arktype and others share: Standard Schema, version 1 (https://standardschema.dev). */

import { isRewtError, OptionError, type SchemaIssue, TokenError } from '../errors.js';

/** A schema that makes an `Output` of what it is given, or says why not. As much of the standard as rewt asks of one. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly FoundIssue[] };

interface FoundIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Some are functions with the property, such as arktype's. */
export function asSchema(value: unknown, option: string): StandardSchema {
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
 * What the schema makes of the answer of a verification that has succeeded: the payload, or with `complete` the whole of which it is a part.
 * A promise of that where the schema has to wait for something.
 *
 * @throws {TokenError} ERR_REWT_SCHEMA where it does not fit; {OptionError} where the schema itself fails. Also in the promise.
 */
export function fitted(answer: unknown, schema: StandardSchema, complete: boolean): unknown {
  try {
    const result: unknown = schema['~standard'].validate(payloadOf(answer, complete));
    if (isThenable(result)) return onceFitted(result, answer, complete);
    return withPayload(answer, complete, outputOf(result));
  } catch (error) {
    throw asOurs(error);
  }
}

async function onceFitted(result: PromiseLike<unknown>, answer: unknown, complete: boolean): Promise<unknown> {
  try {
    return withPayload(answer, complete, outputOf(await result));
  } catch (error) {
    throw asOurs(error);
  }
}

/** The same for those who cannot wait. @throws {OptionError} also where the schema has to. */
export function fittedSync(answer: unknown, schema: StandardSchema, complete: boolean): unknown {
  const payload = fitted(answer, schema, complete);
  if (!(payload instanceof Promise)) return payload;
  // What it comes to is nobody's.
  payload.catch(() => {});
  throw wrong('it answers with a promise, and verifySync() waits for nothing: await verify() in its place');
}

/** Why a verification ends before its schema does. */
export function schemaTimedOut(): OptionError {
  return wrong('it did not answer within storeTimeout: let it ask nobody, or allow more time');
}

function payloadOf(answer: unknown, complete: boolean): unknown {
  return complete ? (answer as { payload: unknown }).payload : answer;
}

function withPayload(answer: unknown, complete: boolean, payload: unknown): unknown {
  return complete ? { ...(answer as object), payload } : payload;
}

/** What fits has no issues, and there is what it became; whatever else was answered is no permission. */
function outputOf(result: unknown): unknown {
  const answer = result as SchemaResult<unknown>;
  if (answer.issues) throw refused(answer.issues);
  if (!Object.hasOwn(answer, 'value')) throw wrong('it gave neither a value nor issues');
  // The promise of verify() would wait for it, for as long as it likes, and fail with an error of its own.
  if (isThenable(answer.value)) throw wrong('its value has a then(), so that no promise can hand it on');
  return answer.value;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return typeof Reflect.get(value, 'then') === 'function';
}

function refused(found: readonly FoundIssue[]): TokenError {
  // Lists of their own kinds, such as arktype's, have a map() of their own.
  const issues = Array.from(found, ({ message, path = [] }): SchemaIssue => {
    const keys = Array.from(path, (segment) => (typeof segment === 'object' ? segment.key : segment));
    return Object.freeze({ message, path: Object.freeze(keys) });
  });
  const message = 'jwt payload does not fit the schema';
  return new TokenError({ code: 'ERR_REWT_SCHEMA', message, issues: Object.freeze(issues) });
}

/** Without what was thrown: a schema knows the payload, and says what it likes. */
function asOurs(error: unknown): unknown {
  return isRewtError(error) ? error : wrong('it failed; call its validate() with such a payload to see why');
}

function wrong(sentence: string): OptionError {
  return new OptionError(`schema: ${sentence}`, { option: 'schema' });
}
