import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

it('the picture of the README is what scripts/picture.js draws', async () => {
  const { picture } = (await import(file('scripts/picture.js'))) as { picture: () => string };
  expect(readFileSync(file('docs/rotation.svg'), 'utf8')).toBe(picture());
});
