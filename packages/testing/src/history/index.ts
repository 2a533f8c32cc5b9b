/**
 * Whether what clients saw of a store can have happened: recording, a linearizability checker, a checker of versions.
 * Needs no test runner.
 *
 * @packageDocumentation
 */
export { FlawedStore, storeFlaws, type StoreFlaw } from './flawed-store.ts';
export { checkLinearizable, type LinearOptions, type LinearVerdict } from './linearizable.ts';
export type { Operation, Request } from './operation.ts';
export {
  asRegisters,
  recorded,
  type KeyValues,
  type Recording,
  type StoreOperation,
} from './store-history.ts';
export {
  exerciseVariables,
  recordedVariable,
  type VariableOfHistory,
  type VariableWorkloadOptions,
} from './variable-history.ts';
export { checkVersions, type VersionProblem } from './versions.ts';
export { exercise, type WorkloadOptions } from './workload.ts';
