// Checks the layering of the workspace on disk. Exit code 1 when a rule is broken.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkTree } from './check.ts';
import { lineOf } from './violation.ts';
import type { Tree } from './workspace.ts';

const root = join(import.meta.dirname, '..', '..');
const ignored = new Set(['node_modules', 'dist', '.turbo', 'coverage']);

const violations = checkTree(readTree(['packages', 'apps']));
for (const violation of violations) console.error(lineOf(violation));
if (violations.length > 0)
  console.error(`\n${violations.length} broken; the rules are in tools/layers/policy.ts`);
process.exitCode = violations.length > 0 ? 1 : 0;

function readTree(folders: readonly string[]): Tree {
  const paths = folders.flatMap(filesBelow).filter((path) => /\.[mc]?ts$|\/package\.json$/.test(path));
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ignored.has(entry.name) ? [] : filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}
