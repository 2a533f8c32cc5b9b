/** Who needs whom: for each id, the ids that must come before it. */
export type Needs = ReadonlyMap<string, readonly string[]>;

/**
 * Orders ids so that each comes after everything it needs (Kahn 1962). Ids in a circle, or behind one, are left out.
 *
 * Needs that are not keys of the map count as met.
 */
export function orderByNeeds(needs: Needs): readonly string[] {
  const dependants = dependantsOf(needs);
  const missing = new Map<string, number>();
  for (const [id, list] of needs) missing.set(id, list.filter((need) => needs.has(need)).length);
  const order = [...needs.keys()].filter((id) => missing.get(id) === 0);
  for (const id of order) {
    for (const dependant of dependants.get(id) ?? []) {
      const left = (missing.get(dependant) ?? 0) - 1;
      missing.set(dependant, left);
      if (left === 0) order.push(dependant);
    }
  }
  return order;
}

/** For each id, the ids that need it. */
export function dependantsOf(needs: Needs): ReadonlyMap<string, readonly string[]> {
  const dependants = new Map<string, string[]>();
  for (const id of needs.keys()) dependants.set(id, []);
  for (const [id, list] of needs) for (const need of list) dependants.get(need)?.push(id);
  return dependants;
}

/** Circles among the ids, each as a list whose members need the next one and whose last needs the first. */
export function findCycles(needs: Needs): readonly (readonly string[])[] {
  const sorted = new Set(orderByNeeds(needs));
  const inCycle = (id: string): boolean => needs.has(id) && !sorted.has(id);
  const visited = new Set<string>();
  const cycles: string[][] = [];
  for (const first of needs.keys()) {
    const path: string[] = [];
    let id: string | undefined = inCycle(first) ? first : undefined;
    while (id !== undefined && !visited.has(id)) {
      visited.add(id);
      path.push(id);
      id = needs.get(id)?.find(inCycle);
    }
    const start = id === undefined ? -1 : path.indexOf(id);
    if (start >= 0) cycles.push(path.slice(start));
  }
  return cycles;
}

/** Whether `ancestor` must come before `id`, directly or through others. */
export function isAncestor(needs: Needs, ancestor: string, id: string): boolean {
  const visited = new Set<string>();
  const open = [...(needs.get(id) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === ancestor) return true;
    if (visited.has(next)) continue;
    visited.add(next);
    open.push(...(needs.get(next) ?? []));
  }
  return false;
}
