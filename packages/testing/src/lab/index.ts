/**
 * Real programs on hosts with a network between them that can be cut, slowed down and made to lose things, on
 * one machine. Needs Linux and root; no test runner.
 *
 * @packageDocumentation
 */
export { eventually, type EventuallyOptions } from '../eventually.ts';
export { spawnNode, type SpawnOptions, type TestProcess } from '../spawn-node.ts';
export { Lab, labHindrance, type LabHost, type LabOptions, type Ways } from './lab.ts';
export type { PathConditions, PathTraffic } from './path.ts';
