/** As a TypeScript program uses all of rewt under one name. */
import * as rewt from 'rewt';

declare const console: { log(line: string): void };

async function main(): Promise<void> {
  const options: rewt.RewtOptions = { store: rewt.memoryStore() };
  const instance: rewt.Rewt = new rewt.Rewt(options);
  const change: rewt.KeyringChange = await instance.rotate({ force: true });
  const byDefault: typeof rewt.Rewt = rewt.default;
  if (byDefault !== rewt.Rewt) throw new Error('another class by default');
  console.log(`star-import: ${change.epoch}`);
}

void main();
