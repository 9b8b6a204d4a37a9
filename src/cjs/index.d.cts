// `export =` makes `require('rewt')` the class in TypeScript too. The namespace that it is merged with holds everything else, name by name;
// a class stands there twice, once as a value and once as a type. A test compares the names with those of src/index.ts.
import type * as api from './index.js';

declare class Rewt<Claims = api.JwtClaims, Output = Claims, Input = api.Signable<Claims>> extends api.Rewt<
  Claims,
  Output,
  Input
> {}

declare namespace Rewt {
  export const Rewt: typeof api.Rewt;
  export type Rewt<Claims = api.JwtClaims, Output = Claims, Input = api.Signable<Claims>> = api.Rewt<
    Claims,
    Output,
    Input
  >;
  export { Rewt as default };

  export type RewtOptions = api.RewtOptions;
  export type SignOptions = api.SignOptions;
  export type VerifyOptions = api.VerifyOptions;
  export type Payload = api.Payload;
  export type JwtClaims = api.JwtClaims;
  export type RegisteredClaims = api.RegisteredClaims;
  export type Verified<Claims> = api.Verified<Claims>;
  export type Signable<Claims> = api.Signable<Claims>;
  export type CompleteToken<Claims = api.JwtClaims, Output = api.Verified<Claims>> = api.CompleteToken<Claims, Output>;
  export type StandardSchema<Output = unknown> = api.StandardSchema<Output>;
  export type SchemaResult<Output> = api.SchemaResult<Output>;
  export type SchemaOptions<Output> = api.SchemaOptions<Output>;
  export type SchemaIssue = api.SchemaIssue;
  export type Callback<Result> = api.Callback<Result>;
  export type KeyringChange = api.KeyringChange;
  export type KeyringStatus = api.KeyringStatus;
  export type LoggedChange = api.LoggedChange;
  export type RevokeOptions = api.RevokeOptions;
  export type Status = api.Status;
  export type StoreFailureCause = api.StoreFailureCause;

  export const isRewtError: typeof api.isRewtError;
  export const RewtError: typeof api.RewtError;
  export type RewtError = api.RewtError;
  export type RewtErrorCode = api.RewtErrorCode;
  export const TokenError: typeof api.TokenError;
  export type TokenError = api.TokenError;
  export type TokenErrorCode = api.TokenErrorCode;
  export const StoreError: typeof api.StoreError;
  export type StoreError = api.StoreError;
  export type StoreErrorCode = api.StoreErrorCode;
  export const OptionError: typeof api.OptionError;
  export type OptionError = api.OptionError;
  export type CallerErrorCode = api.CallerErrorCode;

  export type ChannelMessages = api.ChannelMessages;
  export type OperationMessage = api.OperationMessage;
  export type RefreshMessage = api.RefreshMessage;
  export type RotatedMessage = api.RotatedMessage;
  export type RevokedMessage = api.RevokedMessage;
  export type DegradedMessage = api.DegradedMessage;
  export type RecoveredMessage = api.RecoveredMessage;
  export type WarningMessage = api.WarningMessage;
  export type UnannouncedMessage = api.UnannouncedMessage;

  export type Store = api.Store;
  export type KeyEntry = api.KeyEntry;
  export type CallLimits = api.CallLimits;
  export type SwapLimits = api.SwapLimits;
  export type Snapshot = api.Snapshot;
  export type WantedState = api.WantedState;
  export type SwapAnswer = api.SwapAnswer;
  export type Announcement = api.Announcement;
  export type Announcements = api.Announcements;
  export const memoryStore: typeof api.memoryStore;
  export const fileStore: typeof api.fileStore;
  export type FileStoreOptions = api.FileStoreOptions;
  export const lmdbStore: typeof api.lmdbStore;
}

export = Rewt;
