// Small workspaces for the tests of the rules.

import { checkTree } from '../check.ts';
import type { Tree } from '../workspace.ts';

const external = {
  '@mosaik/primitives': ['@noble/hashes'],
  '@mosaik/transport': ['@mosaik/primitives', '@libp2p/tcp'],
  '@mosaik/testing': ['@mosaik/primitives', '@mosaik/transport'],
  '@mosaik/groups': ['@mosaik/primitives', '@mosaik/transport', '@noble/hashes'],
} as const;

const exported: Readonly<Record<string, readonly string[]>> = {
  '@mosaik/transport': ['.', './libp2p'],
};

/** The four packages above, an app and the integration tests, with these files in them. */
export function treeWith(files: Readonly<Record<string, string>>): Tree {
  const manifests = Object.entries(external).map(([name, dependencies]): [string, string] => {
    const folder = `packages/${name.slice('@mosaik/'.length)}`;
    const devDependencies = { vitest: '5', ...(name === '@mosaik/groups' ? { '@mosaik/testing': '*' } : {}) };
    const exports = Object.fromEntries(
      (exported[name] ?? ['.']).map((subpath) => [subpath, './src/index.ts']),
    );
    const versions = Object.fromEntries(dependencies.map((dependency) => [dependency, '*']));
    return [
      `${folder}/package.json`,
      JSON.stringify({ name, exports, dependencies: versions, devDependencies }),
    ];
  });
  const app = {
    name: '@mosaik/app',
    private: true,
    dependencies: { '@mosaik/groups': '*', '@mosaik/testing': '*' },
  };
  return new Map([...manifests, ['apps/app/package.json', JSON.stringify(app)], ...Object.entries(files)]);
}

/** The rules that a tree breaks, with where: `direction packages/a/src/x.ts:1:1`. */
export function brokenBy(files: Readonly<Record<string, string>>): readonly string[] {
  return checkTree(treeWith(files)).map(
    ({ rule, path, line, column }) => `${rule} ${path}:${line}:${column}`,
  );
}

/** The rules that one file of shipped code breaks, without where. */
export function rulesBrokenBy(code: string, path = 'packages/groups/src/x.ts'): readonly string[] {
  return checkTree(treeWith({ [path]: code })).map(({ rule }) => rule);
}
