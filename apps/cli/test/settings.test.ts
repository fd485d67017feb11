import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Network } from 'mosaik';
import { describe, expect, it } from 'vitest';
import { address } from '../src/settings/address.ts';
import { type CommonFlags, type Settings, settingsOf } from '../src/settings/settings.ts';
import { Terminal } from './support/terminal.ts';

const KEY = 'ab'.repeat(32);

function settings(terminal: Terminal, flags: CommonFlags = {}): { settings: Settings; warnings: string[] } {
  const warnings: string[] = [];
  const stream = new PassThrough();
  const world = {
    stdin: stream,
    stdout: stream,
    stderr: stream,
    env: terminal.env,
    folder: terminal.folder,
    interrupted: new AbortController().signal,
    createNetwork: Network.create,
  };
  return { settings: settingsOf(flags, world, (text) => warnings.push(text)), warnings };
}

describe('settings', () => {
  it('come from flags, else the environment, else the file, else defaults', () => {
    using terminal = new Terminal();
    expect(settings(terminal).settings).toMatchObject({
      network: 'mosaik',
      bootstrap: [],
      timeoutMs: 10_000,
    });
    writeFileSync(join(terminal.folder, 'mosaik.json'), '{"network":"file","bootstrap":["10.0.0.1:1"]}');
    expect(settings(terminal).settings).toMatchObject({
      network: 'file',
      bootstrap: ['/ip4/10.0.0.1/tcp/1'],
    });
    terminal.env = { MOSAIK_NETWORK: 'env', MOSAIK_BOOTSTRAP: '10.0.0.2:2, 10.0.0.3:3' };
    expect(settings(terminal).settings).toMatchObject({
      network: 'env',
      bootstrap: ['/ip4/10.0.0.2/tcp/2', '/ip4/10.0.0.3/tcp/3'],
    });
    const flags = { network: 'flag', bootstrap: ['10.0.0.4:4'], timeout: '0.5' };
    expect(settings(terminal, flags).settings).toMatchObject({
      network: 'flag',
      bootstrap: ['/ip4/10.0.0.4/tcp/4'],
      timeoutMs: 500,
    });
  });

  it('name a key file relative to the settings file, and never show the key', () => {
    using terminal = new Terminal();
    writeFileSync(join(terminal.folder, 'node.key'), `${KEY}\n`, { mode: 0o600 });
    writeFileSync(join(terminal.folder, 'mosaik.json'), '{"secretKeyFile":"node.key"}');
    const { settings: read, warnings } = settings(terminal);
    expect(read.secretKey?.toHex()).toBe(KEY);
    expect(JSON.stringify(read)).not.toContain(KEY);
    expect(warnings).toEqual([]);
  });

  it('warn of a key file that others can read', () => {
    using terminal = new Terminal();
    writeFileSync(join(terminal.folder, 'node.key'), KEY, { mode: 0o644 });
    expect(settings(terminal, { key: 'node.key' }).warnings).toEqual([expect.stringContaining('chmod 600')]);
  });

  it('do not warn of the credentials of a service', () => {
    using terminal = new Terminal();
    terminal.env = { CREDENTIALS_DIRECTORY: terminal.folder };
    writeFileSync(join(terminal.folder, 'node.key'), KEY, { mode: 0o440 });
    const { settings: read, warnings } = settings(terminal, { key: 'node.key' });
    expect(read.secretKey?.toHex()).toBe(KEY);
    expect(warnings).toEqual([]);
  });
});

it.each([
  ['10.0.0.1:4001', '/ip4/10.0.0.1/tcp/4001'],
  ['[::1]:4001', '/ip6/::1/tcp/4001'],
  ['node.example.org:4001', '/dns/node.example.org/tcp/4001'],
  ['/ip4/10.0.0.1/tcp/1/p2p/12D3', '/ip4/10.0.0.1/tcp/1/p2p/12D3'],
])('the address %s is %s', (text, expected) => {
  expect(address(text)).toBe(expected);
});
