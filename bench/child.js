/** A process beside the bench's own, and the questions that it answers. */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Starts a script of this folder. `order` is what it finds in `ordered()`. */
export function startChild(script, order, execArgv = []) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), [JSON.stringify(order)], { execArgv });
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  return {
    /** One question at a time. */
    ask(verb, detail) {
      return new Promise((resolve, reject) => {
        const gone = (code) => reject(new Error(`${script} ended with ${code}`));
        child.once('exit', gone);
        child.once('message', ({ value, error }) => {
          child.off('exit', gone);
          if (error) reject(new Error(`${script} failed: ${error}`));
          else resolve(value);
        });
        child.send({ verb, detail });
      });
    },
    end() {
      process.off('exit', end);
      end();
    },
  };
}

export const ordered = () => JSON.parse(process.argv[2]);

/** In the child: each verb is a function of what was asked, and its result the answer. */
export function answer(verbs) {
  process.on('message', async ({ verb, detail }) => {
    try {
      process.send({ value: await verbs[verb](detail) });
    } catch (error) {
      process.send({ error: error?.stack ?? String(error) });
    }
  });
  // By an exit, which ends what it has started itself.
  for (const event of ['disconnect', 'SIGINT', 'SIGTERM']) process.once(event, () => process.exit());
}
