/** Makes sure of nginx, behind which `rewt serve` is tested. */

import { ensureProgram, findProgram, printIfRun } from './system-program.js';

const nginx = {
  program: 'nginx',
  variable: 'REWT_NGINX',
  packages: { 'apt-get': 'nginx-light', dnf: 'nginx', apk: 'nginx', brew: 'nginx' },
};

/** The path, or null. */
export const findNginx = () => findProgram(nginx);

/**
 * The path; installed first where there is none. @throws {Error} a sentence that says what to do
 */
export const ensureNginx = () => ensureProgram(nginx);

printIfRun(import.meta.url, ensureNginx);
