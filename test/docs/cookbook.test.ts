/**
 * docs/cookbook.md: each program as it stands there, with the package installed; only ports differ.
 * It has to print what its comments say.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { installBeside, installPackage, node, project, type Scratch } from '../package/scratch.js';
import { freePort, type RedisServer, startRedis, until } from '../support/servers.js';

const page = readFileSync(join(project, 'docs/cookbook.md'), 'utf8');

interface Recipe {
  readonly number: number;
  readonly title: string;
  readonly program: string;
  /** What the comments after `console.log` say, line by line. */
  readonly printed: readonly string[];
}

const recipes: readonly Recipe[] = page.split(/^## /m).flatMap((section) => {
  const [, number, title = ''] = /^(\d+)\. (.*)/.exec(section) ?? [];
  const programs = [...section.matchAll(/```js\n(.*?)```/gs)].map(([, program = '']) => program);
  return programs.map((program) => ({
    number: Number(number),
    title,
    program,
    printed: [...program.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said = '']) => said),
  }));
});
/** A server: it goes on until it is ended. */
const serving = 3;
const others = recipes.filter(({ number }) => number !== serving);
const once = 7;

let scratch: Scratch;
let redis: RedisServer;
let running: ChildProcess | undefined;
beforeAll(async () => {
  [scratch, redis] = await Promise.all([installPackage(), startRedis()]);
  await installBeside(scratch, ['redis', 'jsonwebtoken']);
});
beforeEach(async () => {
  await redis.cli('FLUSHALL');
});
afterEach(() => {
  running?.kill('SIGKILL');
});
afterAll(async () => {
  await redis?.stop();
  await scratch?.remove();
});

/** Writes the program into the folder in which the package is. */
async function fileOf({ number, program }: Recipe, port: number): Promise<string> {
  const file = join(scratch.folder, `recipe-${number}.mjs`);
  const moved = program.replaceAll('redis://localhost:6379', redis.url);
  await writeFile(file, moved.replace(/(127\.0\.0\.1:|listen\()3000/g, `$1${port}`));
  return file;
}

/**
 * A machine may be so busy that its first read takes longer than `storeTimeout`: then the program
 * is run again, and for nothing else.
 */
async function printedBy(recipe: Recipe): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await node(scratch.folder, await fileOf(recipe, await freePort()));
    } catch (error) {
      if (attempt === 5 || !String(error).includes('ERR_REWT_STORE_TIMEOUT')) throw error;
      await redis.cli('FLUSHALL');
    }
  }
}

describe('the cookbook', () => {
  it('has ten recipes, each with one program, and a list of them that leads there', () => {
    expect(recipes.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const anchors = recipes.map(({ number, title }) => anchorOf(`${number}. ${title}`));
    const links = [...page.matchAll(/^\d+\. \[.*\]\(#(.*)\)$/gm)].map(([, anchor]) => anchor);
    expect(links).toEqual(anchors);
  });

  it.each(others.map((recipe) => [`${recipe.number}. ${recipe.title}`, recipe] as const))(
    '%s: its program prints what its comments state',
    async (_title, recipe) => {
      // Without a line it asserts for itself.
      expect(recipe.printed.length > 0 || recipe.program.includes('assert.equal')).toBe(true);
      const output = await printedBy(recipe);
      expect(output === '' ? [] : output.split('\n')).toEqual(recipe.printed);
    },
  );

  it('3. answers 401 where the token is bad, and 503 where Redis is away', async () => {
    const recipe = recipes[serving - 1] as Recipe;
    const port = await freePort();
    running = spawn(process.execPath, [await fileOf(recipe, port)], { stdio: ['ignore', 'ignore', 'inherit'] });
    const member = new Rewt({ redisConn: redis.url, storeTimeout: 20 });
    const token = await member.sign({ sub: 'ann' });
    await member.close();
    const ask = (sent: string) =>
      fetch(`http://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${sent}` } }).catch(() => null);
    await until('it has read the keyring', async () => (await ask(token))?.ok);
    expect((await ask('junk'))?.status).toBe(401);
    await redis.kill();
    try {
      const seen = new Set<number | undefined>();
      const refusal = await until('it notices', async () => {
        const answer = await ask(token);
        seen.add(answer?.status);
        return answer?.ok === false && answer;
      });
      expect(refusal.headers.get('retry-after')).toBe('2');
      expect([...seen]).toEqual([200, 503]);
    } finally {
      await redis.restart();
    }
  });

  it.each(['is killed', 'stands still'])('7. accepts no token while Redis %s, and says 503', async (fault) => {
    const recipe = recipes[once - 1] as Recipe;
    const [upToUse = ''] = recipe.program.split('const twice =');
    const rest = `
await rewt.verify(token);
console.log('ready');
process.stdin.once('data', async () => {
  const another = await rewt.sign({}, { issuer: 'billing', jwtid: randomUUID() });
  console.log(await verifyOnce(another).then(() => 'accepted', (error) => error.status));
  process.exit();
});`;
    const file = await fileOf({ ...recipe, program: upToUse + rest }, 0);
    const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
    running = child;
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await until('it has verified a token', async () => said === 'ready\n');
    if (fault === 'is killed') await redis.kill();
    else process.kill(redis.pid, 'SIGSTOP');
    try {
      child.stdin.write('now\n');
      await until('it answers', async () => said === 'ready\n503\n');
    } finally {
      if (fault === 'is killed') await redis.restart();
      else process.kill(redis.pid, 'SIGCONT');
    }
  });
});

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
