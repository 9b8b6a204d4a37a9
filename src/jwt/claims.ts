/** The claims rules by name: everything that the rest of rewt uses of them. */

export { checkClaims, checkText } from './check-claims.js';
export { claimsToSign, type SignablePayload } from './claims-to-sign.js';
export type { JwtClaims, RegisteredClaims } from './registered-claims.js';
export { fitted, fittedSync, type SchemaResult, type StandardSchema, schemaTimedOut } from './schema.js';
export { type CompiledSign, compileSignOptions, type SignOptions, signOptionNames } from './sign-options.js';
export { type CompiledVerify, compileVerifyOptions, type VerifyOptions, verifyOptionNames } from './verify-options.js';
