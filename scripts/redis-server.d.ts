/** The types of redis-server.js, for the tests. */
export function findRedisServer(): string | null;
export function ensureRedisServer(): string;
