import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Example } from './readme.ts';

const GUIDES = fileURLToPath(new URL('../../../../docs/guide/', import.meta.url));
const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url));

const BLOCK = /^```(?<language>ts|text)\n(?<content>.*?)^```$/gms;

/** The guides that have code: all blocks of one are a program, and what they print together is what it prints. */
export function guides(): readonly Example[] {
  return readdirSync(GUIDES)
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => guideOf(file.slice(0, -'.md'.length)))
    .filter(({ code }) => code !== '');
}

/** A guide is named like the package that it is about, in whose folder its program runs. */
function guideOf(name: string): Example {
  const blocks = [...readFileSync(`${GUIDES}${name}.md`, 'utf8').matchAll(BLOCK)];
  const all = (language: string): string =>
    blocks
      .filter(({ groups }) => groups?.['language'] === language)
      .map(({ groups }) => groups?.['content'])
      .join('');
  return { package: name, folder: `${PACKAGES}${name}`, code: all('ts'), prints: all('text') };
}
