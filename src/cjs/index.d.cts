// `export =` is what makes `require('rewt')` the class in TypeScript too; the names beside it come from the merged namespace.
import type * as api from './index.js';

declare const Rewt: typeof api.Rewt & {
  readonly default: typeof api.Rewt;
};
type Rewt = api.Rewt;

declare namespace Rewt {
  // Values.
  export const Rewt: typeof api.Rewt;
  export const RewtError: typeof api.RewtError;
  export const TokenError: typeof api.TokenError;
  export const StoreError: typeof api.StoreError;
  export const OptionError: typeof api.OptionError;
  export const isRewtError: typeof api.isRewtError;
  export const lmdbStore: typeof api.lmdbStore;
  export const memoryStore: typeof api.memoryStore;
}
export = Rewt;
