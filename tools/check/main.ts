// `npm run check`: format, lint, types, layering, unused code and dependencies, and the packages as they are published.
// Options: --fix (format and apply safe fixes first), --only a,b (these steps only), --perf (the benchmarks' gate, too).

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runProgram } from './run-program.ts';
import { type Step, stepsOf } from './steps.ts';

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
}

const root = join(import.meta.dirname, '..', '..');
const stepsAtOnceMax = 2;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: string[]): Promise<number> {
  const steps = selectedSteps(argv);
  if (typeof steps === 'string') {
    console.error(`mosaik: ${steps}`);
    return 1;
  }
  const beganMs = performance.now();
  const outcomes = await runAll(steps);
  const failed = outcomes.filter((outcome) => !outcome.passed).map((outcome) => outcome.name);
  const verdict = failed.length > 0 ? `failed: ${failed.join(', ')}` : 'all good';
  console.log(`\ncheck: ${outcomes.length} steps in ${seconds(beganMs)}, ${verdict}`);
  return failed.length > 0 ? 1 : 0;
}

function selectedSteps(argv: string[]): readonly Step[] | string {
  const { values, error } = parsed(argv);
  if (error !== undefined) return error;
  const wanted = values.only?.split(',');
  const steps = stepsOf({ fix: values.fix, perf: values.perf || wanted !== undefined });
  if (wanted === undefined) return steps;
  const unknown = wanted.find((name) => !steps.some((step) => step.name === name));
  if (unknown === undefined) return steps.filter((step) => wanted.includes(step.name));
  return `there is no step "${unknown}"; there are ${steps.map((step) => step.name).join(', ')}.`;
}

function parsed(argv: string[]) {
  const options = {
    fix: { type: 'boolean', default: false },
    perf: { type: 'boolean', default: false },
    only: { type: 'string' },
  } as const;
  try {
    return { values: parseArgs({ args: argv, options }).values };
  } catch (thrown) {
    return { values: { fix: false, perf: false, only: undefined }, error: (thrown as Error).message };
  }
}

async function runAll(steps: readonly Step[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const placed = (alone: Step['alone']): Step[] => steps.filter((step) => step.alone === alone);
  for (const step of placed('first')) outcomes.push(await runStep(step));
  const queue = placed(undefined);
  const drain = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift())
      outcomes.push(await runStep(step));
  };
  const lanes = Math.min(stepsAtOnceMax, availableParallelism());
  await Promise.all(Array.from({ length: lanes }, drain));
  for (const step of placed('last')) outcomes.push(await runStep(step));
  return outcomes;
}

async function runStep(step: Step): Promise<Outcome> {
  const beganMs = performance.now();
  const [command, ...args] = step.command;
  const { code, output } = await runProgram(command, args, { cwd: root, isShown: step.isShown });
  const passed = code === 0;
  console.log(`${passed ? '✓' : '✗'} ${step.name.padEnd(10)} ${seconds(beganMs)}`);
  if (!passed) {
    if (output !== '') console.log(output.trimEnd().replaceAll(/^/gm, '    '));
    if (step.hint !== undefined) console.log(`    → ${step.hint}`);
  }
  return { name: step.name, passed };
}

function seconds(beganMs: number): string {
  return `${((performance.now() - beganMs) / 1000).toFixed(1)} s`;
}
