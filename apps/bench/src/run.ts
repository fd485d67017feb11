import { isWanted, type Options } from './options.ts';
import type { Peers } from './peers/peers.ts';
import type { Result } from './result.ts';
import type { Suite, SuiteContext } from './suite.ts';

/** What came of a session. */
export interface Outcome {
  readonly results: readonly Result[];
  /** What could not be measured: the names, and the error. */
  readonly failures: readonly string[];
}

/** Runs the suites that have something that was asked for, one after the other. */
export async function runSuites(
  suites: readonly Suite[],
  peers: Peers,
  options: Pick<Options, 'only'> & { readonly runs: number },
): Promise<Outcome> {
  const results: Result[] = [];
  const failures: string[] = [];
  const wants = (...names: readonly string[]): boolean => names.some((name) => isWanted(name, options));
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  };
  const context: SuiteContext = {
    runs: options.runs,
    peers,
    progress: (text) => console.error(`· ${text}`),
    wants,
    async measure(names, work) {
      if (!wants(...names)) return;
      await attempt(names.join(', '), async () => {
        const taken = await work();
        results.push(...taken.filter((result) => wants(result.name) && isMeasured(result)));
      });
    },
  };
  for (const suite of suites.filter((candidate) => wants(...candidate.results))) {
    context.progress(`${suite.name}: ${suite.about}`);
    await attempt(suite.name, () => suite.run(context));
  }
  return { results, failures };
}

/** Neither ours nor the peer's is there on this machine, or yet: a line of nothing. */
function isMeasured({ ours, peer }: Result): boolean {
  return !(Number.isNaN(ours) && Number.isNaN(peer));
}
