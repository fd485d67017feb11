// Makes `dist/node` of `dist` of the package it runs in: a few files instead of a hundred, for Node, which takes about a third of
// a millisecond and 30 KiB for each module it loads. With `--with-dependencies` what the package depends upon is in them,
// too, except packages of this workspace; the licences of that are put beside it.

import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { licencesOf } from './licences.ts';

const DIST = 'dist';
const OUTPUT = join(DIST, 'node');

interface Manifest {
  readonly name: string;
  readonly publishConfig: { readonly exports: Readonly<Record<string, { readonly node?: string }>> };
}

async function bundle(hasDependencies: boolean): Promise<void> {
  const build = await rolldown({
    input: inputs(JSON.parse(readFileSync('package.json', 'utf8')) as Manifest),
    platform: 'node',
    external: (id) => !(isOwn(id) || (hasDependencies && !isOfWorkspace(id) && !id.startsWith('node:'))),
    plugins: hasDependencies ? [licencesOf(join(OUTPUT, 'LICENSES.txt'))] : [ownSourceMaps],
  });
  await build.write({
    dir: OUTPUT,
    format: 'esm',
    // Of what others wrote there is no source in the package that a map could point to.
    sourcemap: !hasDependencies,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    keepNames: true,
  });
  await build.close();
}

/** What is exported for Node, and the programs of threads, each where it is in `dist`: they are looked for beside the module that asks. */
function inputs({ name, publishConfig }: Manifest): Record<string, string> {
  const exported = Object.values(publishConfig.exports).flatMap(({ node }) => node ?? []);
  if (exported.length === 0) throw new Error(`${name} exports nothing for the condition "node"`);
  const modules = exported.map((file) => relative(OUTPUT, file));
  const workers = globSync('**/worker.js', { cwd: DIST, exclude: ['node'] });
  return Object.fromEntries([...modules, ...workers].map((file) => [file.slice(0, -3), join(DIST, file)]));
}

function isOwn(id: string): boolean {
  return id.startsWith('.') || id.startsWith('/') || id.startsWith(DIST);
}

function isOfWorkspace(id: string): boolean {
  return id.startsWith('@mosaik/') || id === 'mosaik' || id.startsWith('mosaik/');
}

/** The maps that the compiler made, so that those of the bundle lead to the sources. */
const ownSourceMaps: Plugin = {
  name: 'own-source-maps',
  load(id) {
    return { code: readFileSync(id, 'utf8'), map: readFileSync(`${id}.map`, 'utf8') };
  },
};

await bundle(process.argv.includes('--with-dependencies'));
