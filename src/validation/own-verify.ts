/**
 * The `verify` of the class itself. Anything else in its place may refuse more tokens, or take any
 * text for one: a method of a subclass, a wrapper, a patch, a spy.
 */
export const ownVerify = new WeakSet<object>();
