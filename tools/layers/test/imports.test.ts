import { describe, expect, test } from 'vitest';
import { checkTree } from '../check.ts';
import { lineOf } from '../violation.ts';
import { brokenBy, rulesBrokenBy, treeWith } from './tree.ts';

describe('direction', () => {
  test('leftwards imports pass', () => {
    expect(rulesBrokenBy("import { uniqueId } from '@mosaik/primitives';")).toEqual([]);
    expect(rulesBrokenBy("export * from '@mosaik/transport/libp2p';")).toEqual([]);
  });

  test.each([
    "import { x } from '@mosaik/groups';",
    "import type { X } from '@mosaik/groups';",
    "export { x } from '@mosaik/groups';",
    "export * from '@mosaik/groups';",
    "const x = await import('@mosaik/groups');",
    "type X = import('@mosaik/groups').X;",
  ])('a rightwards import fails: %s', (code) => {
    expect(rulesBrokenBy(code, 'packages/primitives/src/x.ts')).toContain('direction');
  });

  test('a package does not import itself by name', () => {
    expect(rulesBrokenBy("import { x } from '@mosaik/groups';")).toContain('direction');
  });

  test('apps import anything', () => {
    const code = "import { x } from '@mosaik/groups'; import { y } from '@mosaik/testing';";
    expect(rulesBrokenBy(code, 'apps/app/src/main.ts')).toEqual([]);
  });

  test('the message names the place, the rule and the way out', () => {
    const tree = treeWith({ 'packages/primitives/src/x.ts': "\n  import '@mosaik/transport';" });
    const [line] = checkTree(tree).map(lineOf);
    expect(line).toBe(
      'packages/primitives/src/x.ts:2:3 direction: @mosaik/primitives may not import @mosaik/transport; imports go ' +
        'leftwards only: @mosaik/primitives → @mosaik/transport → @mosaik/discovery → @mosaik/streams → @mosaik/groups ' +
        '→ @mosaik/store → mosaik; move the shared part to a package further left, or pass it in',
    );
  });
});

describe('simulator', () => {
  const code = "import { world } from '@mosaik/testing';";

  test('tests above it may use it, shipped code may not', () => {
    expect(rulesBrokenBy(code, 'packages/groups/test/x.test.ts')).toEqual([]);
    expect(rulesBrokenBy(code, 'packages/groups/src/x.ts')).toContain('simulator');
  });

  test('tests below it may not', () => {
    expect(rulesBrokenBy(code, 'packages/transport/test/x.test.ts')).toContain('simulator');
  });

  test('it imports primitives and transport only', () => {
    expect(rulesBrokenBy("import '@mosaik/transport';", 'packages/testing/src/x.ts')).toEqual([]);
    expect(rulesBrokenBy("import '@mosaik/groups';", 'packages/testing/src/x.ts')).toContain('direction');
  });
});

describe('files', () => {
  test('a relative import stays in the package', () => {
    expect(rulesBrokenBy("import '../../transport/src/x.ts';")).toEqual(['relative-import']);
    expect(rulesBrokenBy("import './y.ts';")).toEqual([]);
  });

  test('how tests run is imported by their configuration, and by nothing else', () => {
    const code = "import '../../tools/vitest/projects.ts';";
    expect(rulesBrokenBy(code, 'packages/groups/vitest.config.ts')).toEqual([]);
    expect(rulesBrokenBy(code, 'packages/groups/test/x.test.ts')).toEqual(['relative-import']);
    expect(
      rulesBrokenBy("import '../../tools/layers/policy.ts';", 'packages/groups/vitest.config.ts'),
    ).toEqual(['relative-import']);
  });

  test('shipped code does not import tests, tests import sources', () => {
    expect(rulesBrokenBy("import '../test/y.ts';")).toEqual(['relative-import']);
    expect(rulesBrokenBy("import '../src/y.ts';", 'packages/groups/test/x.test.ts')).toEqual([]);
  });

  test('only declared exports of another package are imported', () => {
    expect(rulesBrokenBy("import '@mosaik/transport/src/x.ts';")).toEqual(['deep-import']);
  });

  test('an island imports itself and what it is allowed', () => {
    const island = 'packages/groups/src/raft/x.ts';
    expect(rulesBrokenBy("import './y.ts'; import '@mosaik/primitives';", island)).toEqual([]);
    expect(rulesBrokenBy("import '../bonds/y.ts';", island)).toEqual(['island']);
    expect(rulesBrokenBy("import '@mosaik/transport';", island)).toEqual(['island']);
    expect(rulesBrokenBy("import '@noble/hashes';", island)).toEqual(['island']);
  });

  test('a file that does not parse is reported', () => {
    expect(rulesBrokenBy('const = 1;')).toEqual(['syntax']);
  });
});

describe('declared', () => {
  test('shipped code needs a dependency, a test also has the devDependencies', () => {
    expect(rulesBrokenBy("import 'vitest';")).toEqual(['undeclared']);
    expect(rulesBrokenBy("import 'vitest';", 'packages/groups/test/x.test.ts')).toEqual([]);
    expect(rulesBrokenBy("import '@noble/hashes/blake3.js';")).toEqual([]);
    expect(rulesBrokenBy("import 'left-pad';", 'packages/groups/test/x.test.ts')).toEqual(['undeclared']);
  });
});

describe('light-entry', () => {
  const libp2p = { 'packages/transport/src/libp2p/index.ts': 'export const x = 1;' };

  test('the main entry may not reach the heavy part through other files', () => {
    const broken = brokenBy({
      ...libp2p,
      'packages/transport/src/index.ts': "export const a = 1;\nexport * from './a.ts';",
      'packages/transport/src/a.ts': "export * from './libp2p/index.ts';",
    });
    expect(broken).toEqual(['light-entry packages/transport/src/index.ts:2:1']);
  });

  test('types leave nothing behind, and circles end', () => {
    const broken = brokenBy({
      ...libp2p,
      'packages/transport/src/index.ts': "import './a.ts'; export type * from './libp2p/index.ts';",
      'packages/transport/src/a.ts': "import './index.ts';",
    });
    expect(broken).toEqual([]);
  });
});
