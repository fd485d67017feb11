/**
 * `@mosaik/demo`: ten processes of one program, each told a key, a role and one address, organise themselves into an exchange, and
 * go on trading while parts of it are killed. See the README. `npm run demo` and `mosaik demo` are this function.
 */
export { DemoInputError, type DemoOptions, runDemo } from './run-demo.ts';
