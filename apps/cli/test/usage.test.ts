import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Terminal } from './support/terminal.ts';

const NOBODY = '127.0.0.1:1';

describe('a mistake of the user is told in a sentence, with exit code 2', () => {
  const mistakes: readonly (readonly [argv: readonly string[], told: string])[] = [
    [[], 'Usage: mosaik'],
    [['pbu'], 'Did you mean pub?'],
    [['pub'], "missing required argument 'stream'"],
    [['pub', 'a', 'b'], 'too many arguments'],
    [['peers', '--nope'], "unknown option '--nope'"],
    [['--once', 'top'], 'stand after it: mosaik top --once'],
    [['--map', 'm', 'kv', 'get', 'a'], 'stand after it: mosaik kv get --map'],
    [['--network', 'a', 'keygen'], 'keygen does not take --network'],
    [['keygen', '--network', 'a'], 'keygen does not take --network'],
    [['--preset', 'moon', 'peers', '-b', NOBODY], 'there is no preset "moon"'],
    [['-b', 'nowhere', 'kv', 'get', 'a'], '"nowhere" is no address'],
    [['peers'], 'no address of a node is known'],
    [['peers', '-b', 'nowhere'], '"nowhere" is no address'],
    [['peers', '-b', '10.0.0.1:99999'], 'is no address'],
    [['peers', '-b', NOBODY, '--timeout', 'soon'], '"soon" is no time'],
    [['peers', '-b', NOBODY, '--preset', 'moon'], 'there is no preset "moon"'],
    [['peers', '-b', NOBODY, '--config', 'nope.json'], 'nope.json'],
    [['peers', '-b', NOBODY, '--key', 'nope.key'], 'nope.key'],
    [['pub', 'a', '--consumers', 'many'], 'whole number of 0 or more'],
    [['pub', 'a', '--stay'], '--stay serves what is kept'],
    [['sub', 'a', '--where', '{'], '--where is not JSON'],
    [['sub', 'a', '--where', '[1]'], '--where is not an object'],
    [['sub', 'a', '--where', '{}', '--from', 'start'], '--where goes with live data'],
    [['sub', 'a', '--from', 'yesterday'], '--from does not take "yesterday"'],
    [['sub', 'a', '--count', '0'], 'whole number of 1 or more'],
    [['kv', 'get', 'a', '-b', NOBODY, '--map', 'a/b'], '"a/b" is no name of a map'],
    [['kv', 'get', 'a', '-b', NOBODY, '--consistency', 'eventual'], 'Allowed choices are strong, weak'],
    [['kv', 'serve', '--file', 'map.db'], '--file needs --key'],
    [['kv', 'put', 'a', '{', '--parse', '-b', NOBODY], 'the value is not JSON'],
  ];

  it.each(mistakes)('mosaik %j', async (argv, told) => {
    using terminal = new Terminal();
    const { code, stdout, stderr } = await terminal.run(argv);
    expect(stderr).toContain(told);
    expect(stderr).not.toMatch(/\n\s+at .*:\d+/);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('criteria with an operator that is not known', async () => {
    using terminal = new Terminal();
    const { code, stderr } = await terminal.run([
      'sub',
      'a',
      '--where',
      '{"a":{"$nope":1}}',
      '-l',
      '127.0.0.1:0',
    ]);
    expect(stderr).toContain('$nope');
    expect(code).toBe(2);
  });
});

describe('what is asked for', () => {
  it.each([['--help'], ['pub', '--help'], ['kv', 'put', '--help'], ['--version']].map((argv) => [argv]))(
    '%j is printed, with exit code 0',
    async (argv) => {
      using terminal = new Terminal();
      const { code, stdout, stderr } = await terminal.run(argv);
      expect(stdout).not.toBe('');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
  );
});

describe('flags that all commands share', () => {
  it('may stand before the command, and on both sides of it', async () => {
    using terminal = new Terminal();
    const { code, stdout } = await terminal.run(['--json', 'keygen', 'a.key']);
    expect(JSON.parse(stdout)).toMatchObject({ file: join(terminal.folder, 'a.key') });
    expect(code).toBe(0);
    const both = await terminal.run(['-b', NOBODY, '-l', '127.0.0.1:0', 'peers', '-b', '127.0.0.1:2']);
    expect(both.stderr).toContain('/ip4/127.0.0.1/tcp/1: nobody answers');
    expect(both.stderr).toContain('/ip4/127.0.0.1/tcp/2: nobody answers');
    expect(both.code).toBe(1);
  });

  it('are in the help of each command, and not in that of the program', async () => {
    using terminal = new Terminal();
    const whole = await terminal.run(['--help']);
    expect(whole.stdout).not.toContain('--bootstrap <address>');
    const { stdout } = await terminal.run(['peers', '--help']);
    expect(stdout).toContain('--bootstrap <address>');
  });
});

describe('nobody at an address', () => {
  it('is exit code 1, and says which', async () => {
    using terminal = new Terminal();
    const { code, stderr } = await terminal.run(['peers', '-b', NOBODY, '-l', '127.0.0.1:0']);
    expect(stderr).toContain('/ip4/127.0.0.1/tcp/1: nobody answers');
    expect(code).toBe(1);
  });
});

describe('settings', () => {
  it('a file that says something unknown is named, with what', async () => {
    using terminal = new Terminal();
    writeFileSync(join(terminal.folder, 'mosaik.json'), '{"netwrok":"a"}');
    const { code, stderr } = await terminal.run(['peers', '-b', NOBODY]);
    expect(stderr).toContain('mosaik.json: netwrok');
    expect(code).toBe(2);
  });

  it('a secret key in a settings file is refused, and not repeated', async () => {
    using terminal = new Terminal();
    writeFileSync(join(terminal.folder, 'mosaik.json'), '{"secretKey":"hush"}');
    const { code, stderr } = await terminal.run(['peers', '-b', NOBODY]);
    expect(stderr).toContain('holds a secret key');
    expect(stderr).not.toContain('hush');
    expect(code).toBe(2);
  });

  it('a file that holds no key is refused, and what is in it not repeated', async () => {
    using terminal = new Terminal();
    writeFileSync(join(terminal.folder, 'my.key'), 'almost a key', { mode: 0o600 });
    const { code, stderr } = await terminal.run(['peers', '-b', NOBODY, '--key', 'my.key']);
    expect(stderr).toContain('holds no secret key');
    expect(stderr).not.toContain('almost');
    expect(code).toBe(2);
  });

  it('a secret on the command line is warned of, and not repeated', async () => {
    using terminal = new Terminal();
    const { stderr } = await terminal.run([
      'peers',
      '-b',
      NOBODY,
      '--secret-key',
      'hush',
      '-l',
      '127.0.0.1:0',
    ]);
    expect(stderr).toContain('warning: --secret-key can be seen');
    expect(stderr).not.toContain('hush');
  });
});
