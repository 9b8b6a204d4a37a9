/** Makes sure of a redis-server for the tests and the benchmarks. */

import { ensureProgram, findProgram, printIfRun } from './system-program.js';

const redisServer = {
  program: 'redis-server',
  variable: 'REWT_REDIS_SERVER',
  packages: { 'apt-get': 'redis-server', dnf: 'redis', apk: 'redis', brew: 'redis' },
};

/** The path, or null. */
export const findRedisServer = () => findProgram(redisServer);

/**
 * The path; installed first where there is none. @throws {Error} a sentence that says what to do
 */
export const ensureRedisServer = () => ensureProgram(redisServer);

printIfRun(import.meta.url, ensureRedisServer);
