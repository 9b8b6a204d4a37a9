/**
 * The path of promtool, installed first where there is none. @throws {Error} a sentence that says
 * what to do
 */
export function ensurePromtool(): string;
/** The path, or null. */
export function findPromtool(): string | null;
