/** All that `import 'rewt'` and `require('rewt')` give. */

export type { Callback } from './callbacks.js';
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
export type { JwtClaims, RegisteredClaims } from './jwt/registered-claims.js';
export type { SchemaResult, StandardSchema } from './jwt/schema.js';
export type { SignOptions } from './jwt/sign-options.js';
export type { VerifyOptions } from './jwt/verify-options.js';
export type {
  ChannelMessages,
  DegradedMessage,
  OperationMessage,
  RecoveredMessage,
  RefreshMessage,
  ResealedMessage,
  RevokedMessage,
  RotatedMessage,
  UnannouncedMessage,
  WarningMessage,
} from './observe/channels.js';
export type { RewtOptions, SealKeyOption, SealKeyValue } from './options.js';
export {
  type BoundSign,
  type CompleteToken,
  type KeyringChange,
  type Payload,
  type RevokeOptions,
  Rewt,
  Rewt as default,
  type Signable,
  type Verified,
  type VerifiedBy,
} from './rewt.js';
export type { KeyringStatus, LoggedChange, SealStatus, Status } from './status.js';
export { fileStore } from './stores/file.js';
export type { FileStoreOptions } from './stores/files/file-store.js';
export { lmdbStore } from './stores/lmdb.js';
export { memoryStore } from './stores/memory.js';
export type {
  AcknowledgedBy,
  AnnounceLimits,
  Announcement,
  Announcements,
  CallLimits,
  ClientWarning,
  KeyEntry,
  PushStatus,
  ReadLimits,
  Snapshot,
  Store,
  SwapAnswer,
  SwapLimits,
  WantedState,
  Watch,
} from './stores/store.js';
