/**
 * Variable spaces: what can be tuned, in a form that every optimizer understands.
 *
 * @packageDocumentation
 */
export type { Axis } from './axis.ts';
export { mlErrors } from './errors.ts';
export {
  variables,
  type Configuration,
  type ConfigurationOf,
  type Issue,
  type SpaceDescription,
  type Validation,
  type VariableSpace,
} from './space.ts';
export {
  boolean,
  choice,
  float,
  integer,
  type Scalar,
  type Variable,
  type VariableDescription,
} from './variable.ts';
