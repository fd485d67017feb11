/**
 * Whether this is a process of development or tests, by what `NODE_ENV` was when the package was loaded: machines are then
 * watched more closely. Where there is no environment, it is not.
 */
export const isDevelopment: boolean = isNameOfDevelopment(
  (globalThis as { process?: { env?: { NODE_ENV?: string } } }).process?.env?.NODE_ENV,
);

/** Whether a value of `NODE_ENV` names development or tests. */
export function isNameOfDevelopment(name: string | undefined): boolean {
  return name === 'development' || name === 'test';
}
