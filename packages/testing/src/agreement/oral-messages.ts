/** What a lieutenant takes it to be when nothing was said, or neither side has a majority. */
export const oralDefault = 'retreat';

/** One lieutenant: which generals it knows, and what each has told it that the order is. */
export interface OralLieutenant {
  readonly id: number;
  readonly commander: number;
  readonly others: readonly number[];
  readonly heard: ReadonlyMap<number, string>;
}

/** An order, as `from` tells it. */
export interface OralMessage {
  readonly from: number;
  readonly order: string;
}

/** What a liar tells another general, whatever it was told itself; nothing at all if undefined. */
export type OralLie = (to: number) => string | undefined;

/** How an agreement by oral messages went. */
export interface OralAgreement {
  /** What each loyal lieutenant does, by its number. */
  readonly decisions: Readonly<Record<number, string>>;
  /** Messages that were sent: (n − 1)² if nobody is silent. */
  readonly messages: number;
}

/** A lieutenant remembers what it is told; the first word of a general counts. */
export function oralHear(lieutenant: OralLieutenant, { from, order }: OralMessage): OralLieutenant {
  if (lieutenant.heard.has(from)) return lieutenant;
  return { ...lieutenant, heard: new Map([...lieutenant.heard, [from, order]]) };
}

/** What a lieutenant tells all others, once the time for the commander's order is over. */
export function oralRelay({ heard, commander }: OralLieutenant): string {
  return heard.get(commander) ?? oralDefault;
}

/** When the time for the others' words is over, too, a lieutenant does what most say that the order is. */
export function oralDecide({ heard, commander, others }: OralLieutenant): string {
  const said = [commander, ...others].map((general) => heard.get(general) ?? oralDefault);
  const most = said.find((order) => 2 * said.filter((each) => each === order).length > said.length);
  return most ?? oralDefault;
}

/**
 * Lets generals agree on an order of whom one may lie in any way, and counts the messages (OM(1), Lamport, Shostak and
 * Pease 1982). Of four the loyal lieutenants do the same, and what a loyal commander orders. Of three they may not.
 *
 * @param generals - Numbers, each once, the commander's first.
 * @param how - What the commander orders, and what liars tell.
 * @remarks It takes messages to arrive in time and to show who sent them. It is to learn from: agents that may lie
 * decide by `consensus.quorum_certificate`, whose signed votes convince others, too.
 */
export function oralMessages(
  [commander = 0, ...lieutenants]: readonly number[],
  how: { readonly order: string; readonly lies?: Readonly<Record<number, OralLie>> },
): OralAgreement {
  const { order, lies = {} } = how;
  let messages = 0;
  const told = (from: number, to: number, truth: string): readonly OralMessage[] => {
    const lie = lies[from];
    const said = lie === undefined ? truth : lie(to);
    if (said === undefined) return [];
    messages++;
    return [{ from, order: said }];
  };
  const ordered = lieutenants.map((id): OralLieutenant => {
    const others = lieutenants.filter((other) => other !== id);
    const lieutenant = { id, commander, others, heard: new Map<number, string>() };
    return told(commander, id, order).reduce(oralHear, lieutenant);
  });
  const informed = ordered.map((lieutenant) =>
    ordered
      .filter(({ id }) => id !== lieutenant.id)
      .flatMap((other) => told(other.id, lieutenant.id, oralRelay(other)))
      .reduce(oralHear, lieutenant),
  );
  const loyal = informed.filter(({ id }) => lies[id] === undefined);
  const decisions = Object.fromEntries(loyal.map((each) => [each.id, oralDecide(each)]));
  return { decisions, messages };
}
