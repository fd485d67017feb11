/** What the program ends with; stable, for scripts. */
export const ExitCode = {
  Ok: 0,
  /** It was tried, and failed. */
  Failed: 1,
  /** The command line, the environment or a file says what cannot be. */
  Usage: 2,
  /** What was asked for is not there. */
  NotFound: 3,
  /** What was waited for did not come in time. */
  TimedOut: 4,
  /** Done, but not with all data: lines were refused, undelivered, or missed. */
  Incomplete: 5,
  /** Interrupted before it was done (128 + SIGINT). */
  Interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
