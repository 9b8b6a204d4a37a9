#!/usr/bin/env node
/** The `rewt` command as a process: its arguments, its terminal, and its exit code. */

import { createRequire } from 'node:module';
import { failureOf } from './output/errors.js';
import { openTerminal } from './output/terminal.js';
import { run } from './run.js';

function version(): string {
  return String(createRequire(import.meta.url)('../../../package.json').version);
}

const terminal = openTerminal();
// A stack trace could contain secrets.
process.on('uncaughtException', (error) => {
  terminal.report(`rewt: ${failureOf(error).message}`);
  process.exit(failureOf(error).exitCode);
});
// A member's warning often repeats the error that ends a verb. A service has no end, so Node prints
// its warnings.
const [verb] = process.argv.slice(2);
const printed: string[] = [];
const warnings = new Set<string>();
const byNode = process.listeners('warning');
process.removeAllListeners('warning').on('warning', (warning) => {
  if (warning.name === 'RewtWarning' && verb !== 'serve') warnings.add(warning.message);
  else for (const listener of byNode) listener.call(process, warning);
});
// Node's code for a program that ends before what it awaits: no success, even if it was silent.
process.once('exit', () => {
  process.exitCode ??= 13;
});
void main();

async function main(): Promise<void> {
  const exitCode = await run(
    process.argv.slice(2),
    {
      ...terminal,
      print(result) {
        printed.push(result);
        terminal.print(result);
      },
      report(words) {
        printed.push(words);
        terminal.report(words);
      },
    },
    version,
  );
  for (const message of warnings) {
    if (!printed.some((line) => line.includes(message)))
      terminal.report(`${terminal.style('yellow', 'warning:')} ${message}`);
  }
  // Unless the terminal has already reported that the output was lost.
  process.exitCode ??= exitCode;
  // A Redis client that waits for a silent server would keep the process alive. Pending output
  // keeps it alive too, and should.
  setInterval(() => {
    if (process.stdout.writableLength === 0) process.exit();
  }, 1_000).unref();
}
