#!/usr/bin/env node
/** The `rewt` command as a process: its words, its terminal, and its exit code. */

import { createRequire } from 'node:module';
import { failureOf } from './failure.js';
import { run } from './run.js';
import { openTerminal } from './terminal.js';

function version(): string {
  return String(createRequire(import.meta.url)('../../../package.json').version);
}

const terminal = openTerminal();
// A stack trace could show what nobody should see.
process.on('uncaughtException', (error) => {
  terminal.say(`rewt: ${failureOf(error).message}`);
  process.exit(failureOf(error).exitCode);
});
// Of what a member warns of, the error that ends a verb often says the same. A service has no end, and is left to Node.
const [verb] = process.argv.slice(2);
const printed: string[] = [];
const warnings = new Set<string>();
const byNode = process.listeners('warning');
process.removeAllListeners('warning').on('warning', (warning) => {
  if (warning.name === 'RewtWarning' && verb !== 'serve') warnings.add(warning.message);
  else for (const listener of byNode) listener.call(process, warning);
});
// Node's code for a program that ends before what it waits for: no success, even if it was silent.
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
      say(words) {
        printed.push(words);
        terminal.say(words);
      },
    },
    version,
  );
  for (const message of warnings) {
    if (!printed.some((line) => line.includes(message)))
      terminal.say(`${terminal.style('yellow', 'warning:')} ${message}`);
  }
  // Unless the terminal has already said that the output was lost.
  process.exitCode ??= exitCode;
  // A Redis client that waits for a silent server would keep the process alive. Output that is still being written does, too, and may.
  setInterval(() => {
    if (process.stdout.writableLength === 0) process.exit();
  }, 1_000).unref();
}
