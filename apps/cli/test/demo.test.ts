import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Terminal } from './support/terminal.ts';

const DEADLINE_MS = 150_000;
const ORDERS = new URL('../../demo/orders.ndjson', import.meta.url);

describe('mosaik demo', () => {
  it('starts the processes, shows them forming, and ends early with a report', {
    timeout: DEADLINE_MS,
  }, async () => {
    using terminal = new Terminal();
    const orders = readFileSync(ORDERS, 'utf8').split('\n').slice(0, 90);
    writeFileSync(join(terminal.folder, 'my.ndjson'), ['not an order', ...orders].join('\n'));
    const running = terminal.start(['demo', '--input', 'my.ndjson', '--watch']);
    await running.until('stdout', 'line 1 is no order, and skipped');
    await running.until('stdout', ' leads in term ');
    running.interrupt();
    // Not everything of the report can hold: nothing was killed, and nobody joined late.
    expect(await running.code).toBe(1);
    expect(running.stdout).toMatch(/orders lost +0\n.*orders duplicated +0\n/);
    expect(running.stdout).toContain('Not all of it holds.');
    expect(running.stderr).toBe('');
  });

  it.each([
    [['demo', '--input', 'nope.ndjson'], 'nope.ndjson cannot be read'],
    [['demo', '--input', 'few.ndjson'], 'has 1 orders; there are 3 traders'],
    [['demo', '--watch', '--json'], 'choose one'],
    [['demo', '--network', 'a'], 'demo does not take --network'],
  ])('mosaik %j is a mistake', async (argv, told) => {
    using terminal = new Terminal();
    writeFileSync(
      join(terminal.folder, 'few.ndjson'),
      '{"side":"buy","symbol":"ACME","price":10150,"quantity":5}\n',
    );
    const { code, stdout, stderr } = await terminal.run(argv);
    expect(stderr).toContain(told);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});
