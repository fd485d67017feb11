import { expect, it } from 'vitest';
import {
  assertLinearizable,
  createHistory,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from '../../src/linearizability/index.ts';

it('finds a read that went back in time', () => {
  const history = createHistory<RegisterInput<number>, RegisterOutput<number>>();
  history.invoke('alice', { type: 'write', value: 1 }).ok(undefined);
  history.invoke('alice', { type: 'write', value: 2 }).unknown(); // the connection broke: who knows
  history.invoke('bob', { type: 'read' }).ok(2); // so it did happen …
  assertLinearizable(registerModel(0), history.operations);

  history.invoke('carol', { type: 'read' }).ok(1); // … and then it did for everybody
  const check = () => assertLinearizable(registerModel(0), history.operations);
  expect(check).toThrow('carol: {"type":"read"} → 1');
});
