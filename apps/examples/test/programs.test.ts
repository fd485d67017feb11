import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const DEADLINE_MS = 40_000;

/** What each example prints. */
const PRINTS: Readonly<Record<string, readonly string[]>> = {
  hello: [
    "{ sensor: 'north', celsius: 21 }",
    "{ sensor: 'north', celsius: 24.5 }",
    'online; 1 producer known, 1 subscribed',
  ],
  'worker-pool': [
    'one was ended in the middle of a job by SIGKILL',
    '12 jobs done, each once: true',
    '12 jobs done, each once: true',
  ],
  'leader-only-job': [
    'leader 1 has done the job three times, and leaves',
    'leader 2 has done the job three times, and leaves',
    'the last one does it alone',
  ],
  'replicated-counter': [
    'node 1 reads 300',
    'node 2 reads 300',
    'node 3 reads 300',
    'without the leader it is 301',
  ],
  'late-joiner': [
    'the first board has { cake: 500, tea: 500 } having applied 1000',
    'the second board has { tea: 505, cake: 500 } having applied 1',
  ],
};

function fileOf(example: string): string {
  return fileURLToPath(new URL(`../${example}/src/main.ts`, import.meta.url));
}

async function run(file: string): Promise<{ code: unknown; stdout: string }> {
  const child = spawn(process.execPath, [file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
  const [stdout, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { code: code ?? signal, stdout };
}

describe('the example', () => {
  it.each(Object.keys(PRINTS))(
    '%s runs, and prints what it says',
    { timeout: 2 * DEADLINE_MS },
    async (name) => {
      const { code, stdout } = await run(fileOf(name));
      expect({ code, lines: stdout.trimEnd().split('\n') }).toEqual({ code: 0, lines: PRINTS[name] });
    },
  );

  it.each([
    ...Object.keys(PRINTS).map(fileOf),
    fileURLToPath(new URL('../simulated-test/src/seats.ts', import.meta.url)),
  ])('in %s has less than 100 lines', (file) => {
    expect(readFileSync(file, 'utf8').trimEnd().split('\n').length).toBeLessThan(100);
  });
});
