import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Example } from './readme.ts';

const GUIDES = fileURLToPath(new URL('../../../../docs/guide/', import.meta.url));
const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url));
/** Whose folder a guide runs in that is not named like a package. */
const WHOLE = 'mosaik';

const BLOCK = /^```(?<language>\w+)(?: (?<name>[^\s&]+))?(?: (?<stays>&))?\n(?<content>.*?)^```$/gms;

/** A block of code of a guide. */
export interface Block {
  readonly language: string;
  /** What stands behind the language: the name of a file, or of a terminal. Pages do not show it. */
  readonly name: string | undefined;
  /** What it starts goes on, and has nothing to say at first: an `&` behind the name. */
  readonly stays: boolean;
  readonly content: string;
  /** What it prints: the `text` block that follows. */
  readonly prints: string | undefined;
}

/** A guide, and its blocks in their order. */
export interface Guide {
  readonly name: string;
  readonly blocks: readonly Block[];
}

/** All guides. */
export function guides(): readonly Guide[] {
  return readdirSync(GUIDES)
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => ({
      name: file.slice(0, -'.md'.length),
      blocks: blocksIn(readFileSync(`${GUIDES}${file}`, 'utf8')),
    }));
}

/** The blocks of a page; a block of `text` without a name belongs to the one before it. */
function blocksIn(page: string): readonly Block[] {
  const blocks: Block[] = [];
  for (const { groups } of page.matchAll(BLOCK)) {
    const { language = '', name, stays, content = '' } = groups ?? {};
    const last = blocks.at(-1);
    if (language === 'text' && name === undefined && last !== undefined)
      blocks[blocks.length - 1] = { ...last, prints: content };
    else blocks.push({ language, name, stays: stays !== undefined, content, prints: undefined });
  }
  return blocks;
}

/**
 * The guides that are a program: all `ts` blocks without a name, and what they print together. It runs in the folder of the package
 * that the guide is named after.
 */
export function programs(): readonly (Example & { readonly prints: string })[] {
  return guides().flatMap(({ name, blocks }) => {
    const parts = blocks.filter((block) => block.language === 'ts' && block.name === undefined);
    if (parts.length === 0) return [];
    const code = parts.map(({ content }) => content).join('');
    const prints = parts.map((block) => block.prints ?? '').join('');
    const own = `${PACKAGES}${name}`;
    return [{ package: name, folder: existsSync(own) ? own : `${PACKAGES}${WHOLE}`, code, prints }];
  });
}

/** The guides that have something to type, or a file to run. */
export function sessions(): readonly Guide[] {
  return guides().filter(({ blocks }) => blocks.some(({ language }) => language === 'sh'));
}
