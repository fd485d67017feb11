import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inFolder } from '../support/folder.ts';

const DEMO = fileURLToPath(new URL('../../../../apps/demo/', import.meta.url));
/** What is promised. */
const MINUTE_MS = 60_000;

/** Of what the demo prints with `--json`, what is looked at here. */
interface Report {
  readonly input: { readonly orders: number; readonly malformed: readonly { readonly line: number }[] };
  readonly tookMs: number;
  readonly holds: boolean;
  readonly ledger: Readonly<Record<'sent' | 'acknowledged' | 'fills', number>> &
    Readonly<Record<'lost' | 'duplicated', readonly string[]>>;
  readonly timesMs: Readonly<Record<string, number>>;
  readonly checks: readonly { readonly promise: string; readonly holds: boolean; readonly found?: string }[];
}

interface Outcome {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function runDemo(...args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [join(DEMO, 'src/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 2 * MINUTE_MS,
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

describe('the demo', () => {
  it('loses and repeats nothing while its leader and its beacon are killed', { timeout: 150_000 }, () =>
    inFolder(async (folder) => {
      const bundled = await readFile(join(DEMO, 'orders.ndjson'), 'utf8');
      const lines = bundled.split('\n').slice(0, 1_500);
      lines[1] = '{"side":"hold","symbol":"ACME","price":1,"quantity":1}';
      const input = join(folder, 'orders.ndjson');
      await writeFile(input, lines.join('\n'));
      const { code, stdout, stderr } = await runDemo('--json', '--input', input);
      expect(stderr).toMatch(/^line 2 is no order, and skipped: side/);
      const report = JSON.parse(stdout) as Report;
      expect(report.checks.filter(({ holds }) => !holds)).toEqual([]);
      expect(report.input.malformed.map(({ line }) => line)).toEqual([2]);
      expect(report.ledger).toMatchObject({ sent: 1_499, acknowledged: 1_499, lost: [], duplicated: [] });
      expect(report.ledger.fills).toBeGreaterThan(500);
      expect(report.tookMs).toBeLessThan(MINUTE_MS);
      expect({ code, holds: report.holds }).toEqual({ code: 0, holds: true });
      console.log(JSON.stringify(report.timesMs));
    }),
  );

  it('says what is wrong with its options, and how they are', async () => {
    const absent = await runDemo('--input', 'not-there.ndjson');
    expect(absent.code).toBe(2);
    expect(absent.stderr).toMatch(/^not-there.ndjson cannot be read/);
    expect(absent.stderr).not.toMatch(/ at .*\.ts/);
    const unknown = await runDemo('--fast');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('--fast');
    const help = await runDemo('--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--input FILE');
  });
});
