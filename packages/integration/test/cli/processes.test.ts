import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { CliNetwork, type CliProcess, textOf } from '../support/cli.ts';
import { until, untilStill, within } from '../support/wait.ts';

const IS_LONG = process.env['MOSAIK_SIM'] === 'long';
const LINES = IS_LONG ? 1_000_000 : 100_000;
const CHUNK_LINES = 1_000;

/** Like those of a web server. */
function line(index: number): string {
  return `127.0.0.1 - - [22/Nov/2026] "GET /item/${index} HTTP/1.1" 200 ${(index * 7_919) % 100_003}\n`;
}

/** Writes lines as fast as they are taken; returns their hash. */
async function writeLines(input: Writable, count: number): Promise<string> {
  const hash = createHash('sha256');
  for (let from = 0; from < count; from += CHUNK_LINES) {
    const length = Math.min(CHUNK_LINES, count - from);
    const text = Array.from({ length }, (_, index) => line(from + index)).join('');
    hash.update(text);
    if (!input.write(text)) await once(input, 'drain');
  }
  input.end();
  return hash.digest('hex');
}

async function hashOf({ stdout }: CliProcess): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stdout) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

// Alone: whoever waits longer for a producer than a moment says so.
it(`pub delivers ${LINES} lines of a pipe to two others, in order and once`, {
  timeout: 180_000,
}, async () => {
  await using network = new CliNetwork('lines');
  await network.bootstrap();
  const subscribers = [1, 2].map(() => network.start('sub', 'access-log', '--until-end'));
  const hashes = subscribers.map(hashOf);
  const publishing = network.start('pub', 'access-log', '--consumers', '2', '--json');
  const report = textOf(publishing);
  const sent = await within('all lines are taken', 120_000, writeLines(publishing.stdin, LINES));
  expect(await within('pub has ended', 60_000, publishing.code)).toBe(0);
  expect(await within('both have read all', 60_000, Promise.all(hashes))).toEqual([sent, sent]);
  for (const { code, stderr } of subscribers)
    expect({ code: await code, stderr }).toEqual({ code: 0, stderr: '' });
  const told = JSON.parse(await report) as { lines: number; seconds: number };
  expect(told).toMatchObject({ lines: LINES, undelivered: 0, skipped: 0, dropped: 0 });
  console.log(`${LINES} lines to two in ${told.seconds.toFixed(2)} s`);
});

it.concurrent('the pipe slows down when a consumer is slow, and nothing is lost', async () => {
  await using network = new CliNetwork('slow');
  await network.bootstrap();
  const count = 200_000;
  const slow = network.start('sub', 'access-log', '--until-end');
  const publishing = network.start('pub', 'access-log');
  let written = 0;
  const { stdin } = publishing;
  const write = stdin.write.bind(stdin);
  stdin.write = ((text: string) => {
    written += text.length;
    return write(text);
  }) as typeof stdin.write;
  const sending = writeLines(stdin, count);
  // Nobody reads what it prints: what is between is full, and then whoever writes stands still.
  await until('some of it has gone', 20_000, () => written > 1_000_000);
  const taken = await untilStill('what the pipe took', 1_500, async () => written);
  const total = Array.from({ length: count }, (_, index) => line(index).length).reduce(
    (sum, length) => sum + length,
  );
  expect(taken).toBeLessThan(total);
  const hash = hashOf(slow);
  expect(await hash).toBe(await sending);
  expect(await publishing.code).toBe(0);
  expect(await slow.code).toBe(0);
});

it.concurrent('with --drop-slow a slow consumer is dropped, with a message, and sees the gap', async () => {
  await using network = new CliNetwork('drop');
  await network.bootstrap();
  const steady = network.start('sub', 'access-log', '--until-end');
  const slow = network.start('sub', 'access-log');
  const received = hashOf(steady);
  const publishing = network.start('pub', 'access-log', '--consumers', '2', '--drop-slow');
  const sending = writeLines(publishing.stdin, 400_000);
  await publishing.untilStderr('a consumer was dropped, as it was too slow');
  slow.stdout.resume();
  await slow.untilStderr('are missing');
  expect(await received).toBe(await sending);
  expect(await publishing.code).toBe(0);
  slow.signal('SIGINT');
  expect(await slow.code).toBe(5);
});

it.concurrent('Ctrl-C ends every command that stays in an orderly way, and at once', async () => {
  await using network = new CliNetwork('interrupt');
  const node = await network.bootstrap();
  const subscribing = network.start('sub', 'nothing', '--tag', 'sub');
  const serving = network.start('kv', 'serve');
  await serving.untilStderr('leads in term');
  const watching = network.start('peers', '--watch', '--json', '--with-tag', 'sub');
  let seen = '';
  watching.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
  });
  await until('it is listed', 10_000, () => seen.includes('"tags":["sub"]'));
  subscribing.signal('SIGINT');
  serving.signal('SIGINT');
  for (const { code } of [subscribing, serving]) expect(await within('it has ended', 5_000, code)).toBe(0);
  // By a goodbye, not as a failure that was noticed.
  await until('it is seen to leave', 5_000, () => seen.includes('"event":"departed","reason":"left"'));
  watching.signal('SIGINT');
  node.signal('SIGINT');
  expect(await within('they have ended', 5_000, Promise.all([watching.code, node.code]))).toEqual([0, 0]);
});

it.concurrent('whoever reads only the head of the output ends the command without an error', async () => {
  await using network = new CliNetwork('head');
  await network.bootstrap();
  const reading = network.start('sub', 'access-log');
  const publishing = network.start('pub', 'access-log');
  // Interrupted before it has taken all.
  const sending = writeLines(publishing.stdin, 50_000).catch(() => {});
  await once(reading.stdout, 'data');
  reading.stdout.destroy();
  expect(await within('it has ended', 10_000, reading.code)).toBe(0);
  expect(reading.stderr).toBe('');
  publishing.signal('SIGINT');
  await publishing.code;
  await sending;
});

it.concurrent('a map goes on when the member that leads is killed, and keeps what was acknowledged', async () => {
  await using network = new CliNetwork('map');
  await network.bootstrap();
  const members = [1, 2, 3].map(() => network.start('kv', 'serve', '--founders', '3'));
  for (const member of members) await member.untilStderr('leads in term');
  expect(await network.start('kv', 'put', 'colour', 'green').code).toBe(0);
  const groups = JSON.parse(await textOf(network.start('groups', '--json'))) as { leader: string }[];
  const leader = members.find(({ stdout }) =>
    stdout
      .read()
      ?.toString()
      .includes(`as ${groups[0]?.leader.slice(0, 10)}`),
  );
  expect(leader).toBeDefined();
  leader?.signal('SIGKILL');
  const put = network.start('kv', 'put', 'count', '1');
  expect({ code: await put.code, stderr: put.stderr }).toMatchObject({ code: 0 });
  const get = network.start('kv', 'list');
  expect(await textOf(get)).toBe('colour\tgreen\ncount\t1\n');
});
