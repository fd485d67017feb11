import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inFolder } from '../support/folder.ts';
import { checkTypes, install, packAll, runNode, versionOf } from '../support/packed.ts';
import { examples } from '../support/readme.ts';

/** Every package and what it exports: what is not in the tarball, or has no types, fails. */
const USE = `
import * as primitives from '@mosaik/primitives';
import * as transport from '@mosaik/transport';
import * as libp2p from '@mosaik/transport/libp2p';
import * as discovery from '@mosaik/discovery';
import * as streams from '@mosaik/streams';
import * as groups from '@mosaik/groups';
import * as groupsSqlite from '@mosaik/groups/sqlite';
import * as store from '@mosaik/store';
import * as storeSqlite from '@mosaik/store/sqlite';
import * as testing from '@mosaik/testing';
import * as mosaik from 'mosaik';
import * as mosaikStore from 'mosaik/store';

const packages = { primitives, transport, libp2p, discovery, streams, groups, groupsSqlite, store, storeSqlite, testing, mosaik, mosaikStore };
for (const [name, exported] of Object.entries(packages))
  if (Object.keys(exported).length === 0) throw new Error(name + ' exports nothing');
const node: mosaik.Network = await mosaik.Network.create('packed', { listen: ['/ip4/127.0.0.1/tcp/0'] });
const group = await node.groups.join({ key: 'packed', machine: mosaik.Counter, storage: groupsSqlite.sqlite('group.db') });
await node.store.retain(mosaik.stream<number>('packed'), { storage: storeSqlite.sqlite('store.db') });
const { result } = await group.execute({ add: 2 });
const sum: number = result;
console.log(sum);
await node.close();
`;

describe('the packages, as they are published', () => {
  it('install into an empty project, run the first example, and have types', { timeout: 300_000 }, () =>
    inFolder(async (folder) => {
      const tarballs = join(folder, 'tarballs');
      const project = join(folder, 'project');
      await Promise.all([mkdir(tarballs), mkdir(project)]);
      const packed = await packAll(tarballs);
      expect([...packed.keys()].sort()).toEqual([
        '@mosaik/discovery',
        '@mosaik/groups',
        '@mosaik/primitives',
        '@mosaik/store',
        '@mosaik/streams',
        '@mosaik/testing',
        '@mosaik/transport',
        'mosaik',
      ]);
      await install(project, packed, { '@types/node': await versionOf('@types/node') });

      const example = examples().find((one) => one.package === 'mosaik');
      await writeFile(join(project, 'example.ts'), example?.code ?? '');
      await writeFile(join(project, 'use.ts'), USE);
      expect(await runNode(project, ['example.ts'])).toBe(example?.prints);
      expect(await runNode(project, ['use.ts'])).toBe('2\n');
      await checkTypes(project);
      const lock = await readFile(join(project, 'package-lock.json'), 'utf8');
      expect(lock).not.toMatch(/workspace:|catalog:/);
    }),
  );
});
