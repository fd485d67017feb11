import { expect, test } from 'vitest';
import { installFailure, lineFor, SetupFailure } from '../failure.mjs';

test.each([
  ['npm error code ENOSPC', 'the disk is full'],
  ['No space left on device (os error 28)', 'the disk is full'],
  ['npm error code ENOTFOUND', 'could not be reached'],
  ['npm error network request failed, reason: connect ECONNREFUSED', 'could not be reached'],
  ['error sending request for url', 'could not be reached'],
  ['npm error code EACCES', 'could not be written'],
  ['npm error code EINTEGRITY', 'pinned checksum'],
  ['npm error 404 Not Found', 'lacks a pinned version'],
  ['ERR_PNPM_OUTDATED_LOCKFILE', 'npm run pnpm -- install'],
  ['something else', 'the reason is in setup.log'],
])('%s', (output, advice) => {
  const line = lineFor(installFailure('installing pnpm', `some lines\n${output}\nmore`, 'setup.log'));
  expect(line).toMatch(/^mosaik: installing pnpm: [^\n]*$/);
  expect(line).toContain(advice);
});

test('an expected failure is one line as it is', () => {
  expect(lineFor(new SetupFailure('npm was not found.'))).toBe('mosaik: npm was not found.');
});

test('an unexpected error is one line too, with advice where there is some', () => {
  expect(lineFor(new Error('ENOSPC: no space left on device, write'))).toContain('the disk is full');
  expect(lineFor(new Error('first\nsecond'))).toBe('mosaik: setting up failed: first');
  expect(lineFor('thrown text')).toBe('mosaik: setting up failed: thrown text');
});
