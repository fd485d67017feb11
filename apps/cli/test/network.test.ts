import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Running, Terminal } from './support/terminal.ts';

/** A terminal with a bootstrap node running, which the others find. */
async function network(name: string): Promise<{ terminal: Terminal; bootstrap: Running }> {
  const terminal = new Terminal();
  terminal.env = { MOSAIK_NETWORK: name, MOSAIK_PRESET: 'local', MOSAIK_LISTEN: '127.0.0.1:0' };
  const bootstrap = terminal.start(['bootstrap', '--json', '--tag', 'seed']);
  await bootstrap.until('stdout', '\n');
  const { addresses } = JSON.parse(bootstrap.stdout) as { addresses: string[] };
  terminal.env['MOSAIK_BOOTSTRAP'] = addresses[0] ?? '';
  return { terminal, bootstrap };
}

async function end(terminal: Terminal, ...running: readonly Running[]): Promise<void> {
  for (const one of running) one.interrupt();
  expect(await Promise.all(running.map(({ code }) => code))).toEqual(running.map(() => 0));
  terminal[Symbol.dispose]();
}

describe('keygen', () => {
  it('writes a key that only its owner reads, shows none of it, and overwrites nothing', async () => {
    using terminal = new Terminal();
    const made = await terminal.run(['keygen', 'node.key', '--json']);
    const path = join(terminal.folder, 'node.key');
    const key = readFileSync(path, 'utf8').trim();
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(made.stdout)).toEqual({ file: path, peerId: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(made.stdout + made.stderr).not.toContain(key);
    expect((await terminal.run(['keygen', 'node.key'])).code).toBe(1);
    expect(readFileSync(path, 'utf8').trim()).toBe(key);
    expect((await terminal.run(['keygen', 'node.key', '--force'])).code).toBe(0);
    expect(readFileSync(path, 'utf8').trim()).not.toBe(key);
  });
});

describe('a network on the command line', () => {
  it('peers lists who is there, doctor finds it well, another network sees nobody', async () => {
    const { terminal, bootstrap } = await network('cli look');
    const listed = await terminal.run(['peers', '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ tags: ['seed'], streams: [], groups: [] }]);
    expect((await terminal.run(['peers', '--with-tag', 'other', '--json'])).stdout).toBe('[]\n');
    expect((await terminal.run(['peers'])).stdout).toContain('seed');

    const well = await terminal.run(['doctor', '--json']);
    expect(JSON.parse(well.stdout)).toMatchObject({ isWell: true });
    const missing = await terminal.run(['doctor', '--stream', 'nope']);
    expect(missing.stdout).toContain('WRONG stream     nobody produces "nope"');
    expect(missing.code).toBe(1);
    const { peer } = JSON.parse(listed.stdout)[0] as { peer: string };
    const one = await terminal.run(['doctor', peer.slice(0, 8), '--with-tag', 'seed']);
    expect(one.stdout).toContain('can be reached, and answers');
    expect(one.code).toBe(0);
    expect((await terminal.run(['doctor', 'ffffffff'])).code).toBe(1);

    const other = await terminal.run(['peers', '-n', 'another']);
    expect(other.stderr).toContain('it is not of the network "another"');
    expect(other.code).toBe(1);
    await end(terminal, bootstrap);
  });

  it('peers --watch prints who comes and goes', async () => {
    const { terminal, bootstrap } = await network('cli watch');
    const watching = terminal.start(['peers', '--watch', '--json', '--with-tag', 'guest']);
    await watching.until('stdout', '[]\n');
    const guest = terminal.start(['sub', 'nothing', '--tag', 'guest']);
    await watching.until('stdout', '"event":"discovered"');
    guest.interrupt();
    expect(await guest.code).toBe(0);
    await watching.until('stdout', '"event":"departed","reason":"left"');
    await end(terminal, watching, bootstrap);
  });

  it('pub sends lines to all who subscribe, in order and once, and streams and top show it', async () => {
    const { terminal, bootstrap } = await network('cli pub');
    const subscribers = [1, 2].map(() => terminal.start(['sub', 'log', '--until-end']));
    const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index} ü`);
    let release: () => void = () => {};
    const shown = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* input(): AsyncGenerator<Buffer> {
      yield Buffer.from(`${lines.slice(0, 1_000).join('\n')}\n`);
      await shown;
      yield Buffer.from(lines.slice(1_000).join('\n'));
    }
    const publishing = terminal.start(['pub', 'log', '--consumers', '2', '--json'], Readable.from(input()));
    for (const subscriber of subscribers) await subscriber.until('stdout', 'line 999 ü\n');

    const streams = JSON.parse((await terminal.run(['streams', '--json'])).stdout) as object[];
    expect(streams).toMatchObject([{ name: 'log', edges: [{ datums: 1_000 }, { datums: 1_000 }] }]);
    const top = await terminal.run(['top', '--once', '--interval', '0.1']);
    expect(top.stdout).toMatch(/STREAMS\n {2}log\n {4}\w+ ──▶ \w+ {2}0\/s 0 B\/s, 1,000 in total/);
    const doctor = await terminal.run(['doctor', '--stream', 'log']);
    expect(doctor.stdout).toContain('online: 2 consumers subscribed');
    expect(doctor.code).toBe(0);

    release();
    expect(await publishing.code).toBe(0);
    expect(JSON.parse(publishing.stdout)).toMatchObject({
      lines: 2_000,
      consumers: 2,
      undelivered: 0,
      skipped: 0,
    });
    for (const subscriber of subscribers) {
      expect(await subscriber.code).toBe(0);
      expect(subscriber.stdout).toBe(`${lines.join('\n')}\n`);
    }
    await end(terminal, bootstrap);
  });

  it('pub names a malformed line by number, skips it, and says so with its exit code', async () => {
    const { terminal, bootstrap } = await network('cli ndjson');
    const cheap = terminal.start([
      'sub',
      'trades',
      '--where',
      '{"price":{"$lt":10}}',
      '--count',
      '2',
      '--json',
    ]);
    const input = '{"price":5}\n{"price":\n\n{"price":50}\n{"price":7}\n';
    const { code, stderr } = await terminal.run(
      ['pub', 'trades', '--ndjson'],
      Readable.from([Buffer.from(input)]),
    );
    expect(stderr).toContain('line 2 is skipped');
    expect(code).toBe(5);
    expect(await cheap.code).toBe(0);
    const data = cheap.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(data).toMatchObject([
      { sequence: 0, datum: { price: 5 } },
      { sequence: 2, datum: { price: 7 } },
    ]);
    await end(terminal, bootstrap);
  });

  it('pub --keep serves who comes late, keep copies it, and sub --from reads it from both', async () => {
    const { terminal, bootstrap } = await network('cli keep');
    const input = Readable.from([Buffer.from('a\nb\nc\n')]);
    const publishing = terminal.start(['pub', 'log', '--keep', 'log.db', '--stay'], input);
    await publishing.until('stderr', 'all 3 lines are kept');
    const all = await terminal.run(['sub', 'log', '--from', 'start', '--until-end']);
    expect(all).toMatchObject({ code: 0, stdout: 'a\nb\nc\n' });
    const copying = terminal.start(['keep', 'log', 'copy.db']);
    const reading = terminal.start(['sub', 'log', '--from', '1', '--json']);
    await reading.until('stdout', '"caughtUp"');
    expect(reading.stdout).toContain('"offset":1');
    expect(reading.stdout).not.toContain('"datum":"a"');
    await end(terminal, reading, copying, publishing, bootstrap);
  });

  it('doctor passes on what a predicate says of a consumer that gets nothing', async () => {
    const { terminal, bootstrap } = await network('cli doctor');
    const subscribing = terminal.start(['sub', 'log', '--with-tag', 'gold']);
    const publishing = terminal.start(['pub', 'log', '--tag', 'lead'], new PassThrough());
    // Both know of each other, and say what keeps them apart.
    await publishing.until('stderr', 'none subscribed');
    await subscribing.until('stderr', 'subscribeIf');
    const { code, stdout } = await terminal.run(['doctor', '--stream', 'log', '--with-tag', 'gold']);
    expect(stdout).toMatch(/WRONG consumer {3}\w+ consumes log, .*subscribeIf/);
    expect(stdout).toMatch(
      /WRONG producer {3}\w+ produces log, offline: needs at least 1 consumer, none subscribed/,
    );
    expect(stdout).toContain('nobody looked at carries the tag gold');
    expect(code).toBe(1);
    publishing.interrupt();
    expect(await publishing.code).toBe(130);
    await end(terminal, subscribing, bootstrap);
  });

  it('an interrupted pub ends with 130, and says how far it came', async () => {
    const { terminal, bootstrap } = await network('cli interrupt');
    const publishing = terminal.start(['pub', 'log', '--json'], Readable.from([Buffer.from('a\n')]));
    await publishing.until('stderr', 'waiting, offline: needs at least 1 consumer, none subscribed');
    publishing.interrupt();
    expect(await publishing.code).toBe(130);
    expect(JSON.parse(publishing.stdout)).toMatchObject({ lines: 0 });
    await end(terminal, bootstrap);
  });
});

describe('a map on the command line', () => {
  it('is put, got, listed, watched and deleted, by those who have its key', async () => {
    const { terminal, bootstrap } = await network('cli kv');
    await terminal.run(['keygen', 'group.key']);
    const key = ['--group-key', 'group.key'];
    expect((await terminal.run(['kv', 'get', 'colour'])).stderr).toContain('nobody serves the map default');
    const members = [1, 2, 3].map(() => terminal.start(['kv', 'serve', '--founders', '3', ...key]));
    for (const member of members) await member.until('stderr', 'leads in term');

    const put = await terminal.run(['kv', 'put', 'colour', 'green', ...key, '--json']);
    expect(put).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(put.stdout)).toMatchObject({ key: 'colour', done: true });
    expect(await terminal.run(['kv', 'get', 'colour', ...key])).toMatchObject({ code: 0, stdout: 'green\n' });
    const weakly = ['kv', 'get', 'colour', '--consistency', 'weak', '--json', ...key];
    let weak = await terminal.run(weakly);
    // Whoever is asked may not have applied it yet: that is what weak means.
    while (weak.code === 3) weak = await terminal.run(weakly);
    expect(JSON.parse(weak.stdout)).toMatchObject({ value: 'green', consistency: 'weak' });

    const watching = terminal.start(['kv', 'watch', 'c', ...key]);
    await watching.until('stderr', 'watching from index');
    expect((await terminal.run(['kv', 'put', 'count', '{"n":1}', '--parse', ...key])).code).toBe(0);
    expect((await terminal.run(['kv', 'put', 'other', '1', ...key])).code).toBe(0);
    expect((await terminal.run(['kv', 'list', ...key])).stdout).toBe(
      'colour\tgreen\ncount\t{"n":1}\nother\t1\n',
    );
    expect((await terminal.run(['kv', 'delete', 'colour', ...key])).code).toBe(0);
    expect((await terminal.run(['kv', 'delete', 'colour', ...key])).code).toBe(3);
    expect((await terminal.run(['kv', 'get', 'colour', ...key])).code).toBe(3);
    await watching.until('stdout', 'colour\t(deleted)\n');
    expect(watching.stdout).toBe('count\t{"n":1}\ncolour\t(deleted)\n');

    for (const words of [
      ['get', 'count'],
      ['put', 'count', '2'],
    ]) {
      const refused = await terminal.run(['kv', ...words]);
      expect(refused.stderr).toContain('served with another key');
      expect(refused.code).toBe(1);
    }
    const groups = JSON.parse((await terminal.run(['groups', '--json'])).stdout) as { members: object[] }[];
    expect(groups[0]).toMatchObject({ name: 'kv/default founders=3', term: expect.any(Number) });
    await end(terminal, watching, ...members, bootstrap);
  });

  it('is kept in a file across a restart of all its members', async () => {
    const { terminal, bootstrap } = await network('cli kv file');
    await terminal.run(['keygen', 'node.key']);
    const serve = ['kv', 'serve', '--file', 'map.db', '--key', 'node.key'];
    const first = terminal.start(serve);
    await first.until('stderr', 'leads in term');
    expect((await terminal.run(['kv', 'put', 'colour', 'green'])).code).toBe(0);
    first.interrupt();
    expect(await first.code).toBe(0);
    const second = terminal.start(serve);
    await second.until('stdout', '(fsync)');
    await second.until('stderr', 'leads in term');
    expect(await terminal.run(['kv', 'get', 'colour'])).toMatchObject({ code: 0, stdout: 'green\n' });
    second.interrupt();
    expect(await second.code).toBe(0);
    // A log that is damaged is put aside, and told of.
    writeFileSync(join(terminal.folder, 'map.db'), 'x'.repeat(64), { flag: 'r+' });
    const third = terminal.start(serve);
    await third.until('stderr', 'warning: the log was damaged: it is put aside as');
    await end(terminal, third, bootstrap);
  });
});
