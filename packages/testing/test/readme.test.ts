import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

it('the README shows the example that runs as a test', async () => {
  const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8');
  const example = (await read('./readme-example.test.ts')).replace('../src/index.ts', '@mosaik/testing');
  expect(await read('../README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);
});
