import { runScenario } from '../support/scenario.ts';

/** Runs the scenario for a seed in a process of its own and prints what came of it. */
const { hash, events, replies } = await runScenario(process.argv[2] ?? '1');
process.stdout.write(JSON.stringify({ hash, events, replies }));
