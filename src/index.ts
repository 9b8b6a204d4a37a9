/** All that `import 'rewt'` and `require('rewt')` give. */

export type { Callback } from './callback.js';
export {
  type CallerErrorCode,
  isRewtError,
  OptionError,
  RewtError,
  type RewtErrorCode,
  type SchemaIssue,
  StoreError,
  type StoreErrorCode,
  type StoreFailureCause,
  TokenError,
  type TokenErrorCode,
} from './errors.js';
export type {
  JwtClaims,
  RegisteredClaims,
  SchemaResult,
  SignOptions,
  StandardSchema,
  VerifyOptions,
} from './jwt/claims.js';
export type {
  ChannelMessages,
  DegradedMessage,
  OperationMessage,
  RecoveredMessage,
  RefreshMessage,
  RevokedMessage,
  RotatedMessage,
  UnannouncedMessage,
  WarningMessage,
} from './observe/channels.js';
export type { RewtOptions } from './options.js';
export {
  type CompleteToken,
  type KeyringChange,
  type Payload,
  type RevokeOptions,
  Rewt,
  Rewt as default,
  type SchemaOptions,
  type Signable,
  type Verified,
} from './rewt.js';
export type { KeyringStatus, LoggedChange, Status } from './status.js';
export { type FileStoreOptions, fileStore } from './stores/file.js';
export { lmdbStore } from './stores/lmdb.js';
export { memoryStore } from './stores/memory.js';
export type {
  Announcement,
  Announcements,
  CallLimits,
  KeyEntry,
  Snapshot,
  Store,
  SwapAnswer,
  SwapLimits,
  WantedState,
} from './stores/store.js';
