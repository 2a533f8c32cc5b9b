/** A life of a node, as another node sees it. */
export interface SeenLife {
  readonly node: string;
  readonly incarnation: number;
}

/** What one node said about the others, checked as it says it. */
export class MemberHistory {
  readonly #observer: string;
  readonly #problems: string[];
  /** Lives that are up. */
  readonly #up = new Set<string>();
  /** Newest life of each node that this life of the observer has seen. */
  readonly #newest = new Map<string, number>();
  #observerLife: number | undefined;

  /** @param problems - where breaches go */
  constructor(observer: string, problems: string[]) {
    this.#observer = observer;
    this.#problems = problems;
  }

  up(observerLife: number, { node, incarnation }: SeenLife): void {
    this.#begin(observerLife);
    const life = `${node}.${incarnation}`;
    if (this.#up.has(life)) this.#problem(`sees ${life} come up twice`);
    const newest = this.#newest.get(node);
    if (newest !== undefined && incarnation <= newest) {
      this.#problem(`sees ${life} come up after ${node}.${newest}, which is over`);
    }
    this.#up.add(life);
    this.#newest.set(node, incarnation);
  }

  down({ node, incarnation }: SeenLife): void {
    const life = `${node}.${incarnation}`;
    if (!this.#up.delete(life)) this.#problem(`sees ${life} go down, which was not up`);
  }

  isUp({ node, incarnation }: SeenLife): boolean {
    return this.#up.has(`${node}.${incarnation}`);
  }

  /** A node that begins a new life knows nothing of what was over before. */
  #begin(observerLife: number): void {
    if (this.#observerLife === observerLife) return;
    this.#observerLife = observerLife;
    this.#newest.clear();
    if (this.#up.size > 0) this.#problem(`begins a new life with ${[...this.#up].join()} still up`);
  }

  #problem(what: string): void {
    this.#problems.push(`${this.#observer} ${what}`);
  }
}
