import { FoundationError } from '../../errors.ts';
import { closest } from '../../options.ts';
import type { Named } from './orchestration-variable.ts';

/** Functions by name, so that a variable of the cluster is coordinated on any node that knows them. */
export class NamedFunctions {
  readonly #functions = new Map<string, unknown>();

  /** @throws FoundationError `NAME_TAKEN`, `INVALID_OPTION` */
  register(name: string, fn: unknown): void {
    if (typeof name !== 'string' || name === '' || typeof fn !== 'function') {
      throw new FoundationError('INVALID_OPTION', 'expected a name and a function', {
        details: { name },
      });
    }
    if (this.#functions.has(name)) {
      throw new FoundationError('NAME_TAKEN', `there is a function called "${name}"`);
    }
    this.#functions.set(name, fn);
  }

  knows(named: unknown): boolean {
    return typeof named !== 'string' || this.#functions.has(named);
  }

  /** @throws FoundationError `UNKNOWN_FUNCTION` */
  find<Fn>(named: Named<Fn>): Fn {
    if (typeof named !== 'string') return named;
    const found = this.#functions.get(named);
    // What it takes and gives is what the variable says: nobody can know it better.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (found !== undefined) return found as Fn;
    const known = [...this.#functions.keys()].toSorted();
    const meant = closest(named, known);
    throw new FoundationError('UNKNOWN_FUNCTION', `no function is called "${named}" on this node`, {
      hint: `${meant === undefined ? '' : `Did you mean "${meant}"? `}Register it with core.registerFunction on each node.`,
      details: { name: named, known },
    });
  }
}
