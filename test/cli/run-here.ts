/** Runs a verb of the command in this process, without a terminal: where many runs matter more than a process of their own. */
import { PassThrough } from 'node:stream';
import { run } from '../../src/cli/run.js';
import type { Run } from './command.js';

export async function runHere(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  interrupted = new AbortController().signal,
): Promise<Run> {
  let [stdout, stderr] = ['', ''];
  const code = await run(
    words,
    {
      stdin: new PassThrough().end() as PassThrough,
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      env,
      interrupted,
      print: (result) => {
        stdout += `${result}\n`;
      },
      say: (line) => {
        stderr += `${line}\n`;
      },
      style: (_, line) => line,
      paint: (_, line) => line,
    },
    () => '',
  );
  return { code, stdout, stderr };
}
