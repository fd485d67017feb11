// The licences of what is bundled, as they ask to be passed on with it.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'rolldown';

/** Writes the licences of all packages of others that have a module in the bundle. */
export function licencesOf(file: string): Plugin {
  return {
    name: 'licences',
    generateBundle() {
      const folders = [...this.getModuleIds()].flatMap((id) => packageFolder(id) ?? []);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, [...new Set(folders)].map(describe).sort().join('\n'));
    },
  };
}

/** The folder of the package that a module is of, unless that is this one. */
function packageFolder(id: string): string | undefined {
  return /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
}

function describe(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
  const texts = readdirSync(folder)
    .filter((name) => /^licen[cs]e/i.test(name))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').trim());
  const title = `${manifest['name']} ${manifest['version']}: ${manifest['license']}`;
  return [title, '='.repeat(title.length), ...texts, ''].join('\n\n');
}
