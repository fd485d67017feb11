import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const examples = [
  { path: './readme-example.test.ts', entry: '../src/index.ts', name: '@mosaik/testing' },
  {
    path: './linearizability/readme-example.test.ts',
    entry: '../../src/linearizability/index.ts',
    name: '@mosaik/testing/linearizability',
  },
];

it.each(examples)(
  'the README shows the example of $name that runs as a test',
  async ({ path, entry, name }) => {
    const read = (file: string): Promise<string> => readFile(new URL(file, import.meta.url), 'utf8');
    const example = (await read(path)).replace(entry, name);
    expect(await read('../README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);
  },
);
