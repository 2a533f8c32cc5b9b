/**
 * A solver of linear, mixed-integer and convex quadratic programs, for coordinations of your own: those of nodes have
 * it. Needs the package `highs`, which is loaded with the first problem.
 *
 * @packageDocumentation
 */
export { HighsSolver, type HighsSolverOptions } from './highs-solver.ts';
