/**
 * The path of nginx, installed first where there is none. @throws {Error} a sentence that says what
 * to do
 */
export function ensureNginx(): string;
/** The path, or null. */
export function findNginx(): string | null;
