/** What there is to run again. */
export interface Replay {
  readonly seed: number;
  readonly isLong: boolean;
  /** The full name of the test, its suites first. */
  readonly test: string | undefined;
  readonly file: string | undefined;
}

/**
 * The command that runs one seed of one test again, as it was: a simulation at full length may take other times than a
 * sample, so it is the same task, too.
 */
export function replayCommand({ seed, isLong, test, file }: Replay): string {
  const task = isLong ? 'npm run sim' : 'npm test';
  const where = file === undefined ? '' : ` ${quote(file)}`;
  const pattern = test === undefined ? '' : ` -t ${quote(`^${escapePattern(test)}$`)}`;
  return `${task} -- --seed ${seed} --seeds 1${where}${pattern}`;
}

/** The runner takes names for regular expressions. */
function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** As a shell takes it for one word. */
function quote(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
