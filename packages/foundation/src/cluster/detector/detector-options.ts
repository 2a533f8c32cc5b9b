import {
  checkChoice,
  checkNumber,
  invalidOption,
  refuseUnknown,
  withDefaults,
  type NumberRule,
} from '../../options.ts';

/** How nodes look after each other. Times are those of a healthy node; a sick one takes longer. */
export interface DetectorSettings {
  /** Milliseconds from one probe to the next. */
  readonly periodMs: number;
  /** Milliseconds that a probed node has to answer before others are asked to probe it, too. */
  readonly answerMs: number;
  /** Milliseconds that a suspected node has to say that it is alive, once others suspect it as well. */
  readonly suspicionMs: number;
  /** How many others are asked to probe a node that has not answered. @defaultValue 3 */
  readonly helpers: number;
  /** How many must join in a suspicion to make it as short as `suspicionMs`. @defaultValue 2 */
  readonly confirmations: number;
  /** A suspicion that nobody joins in lasts so many times `suspicionMs`. @defaultValue 4 */
  readonly doubtFactor: number;
  /** A node in the worst health probes once in so many periods more, and waits as much longer. @defaultValue 8 */
  readonly healthMax: number;
}

/** How soon a silent node is found: `fast` in 3 s, `lan` in 8 s, `wan` in 25 s. */
export type DetectorProfile = 'fast' | 'lan' | 'wan';

const common = { helpers: 3, confirmations: 2, doubtFactor: 4, healthMax: 8 };

/**
 * Of n nodes that look at one each period, none looks at a given node for m periods with probability
 * e⁻ᵐ. The limit of a profile is seven periods, until somebody looks, one to find no answer, and the
 * suspicion.
 */
export const detectorProfiles: Readonly<Record<DetectorProfile, DetectorSettings>> = {
  fast: { periodMs: 200, answerMs: 80, suspicionMs: 1_400, ...common },
  lan: { periodMs: 500, answerMs: 200, suspicionMs: 3_500, ...common },
  wan: { periodMs: 1_500, answerMs: 700, suspicionMs: 10_000, ...common },
};

/** A profile, or one of which something is changed. */
export type DetectorOptions =
  | DetectorProfile
  | ({ readonly profile?: DetectorProfile } & Partial<DetectorSettings>);

/**
 * The settings that an option means.
 *
 * @throws FoundationError `INVALID_OPTION`
 */
export function detectorSettings(
  who: string,
  given: DetectorOptions = {},
  profileDefault: DetectorProfile,
): DetectorSettings {
  const options = typeof given === 'string' ? { profile: given } : given;
  refuseUnknown(`${who}: detector`, options, ['profile', ...Object.keys(detectorProfiles.lan)]);
  const { profile = profileDefault, ...changes } = options;
  checkChoice(who, { 'detector.profile': profile }, Object.keys(detectorProfiles));
  const settings = withDefaults(detectorProfiles[profile], changes);
  for (const [name, rule] of Object.entries(rules)) {
    checkNumber(who, { [`detector.${name}`]: Reflect.get(settings, name) }, rule);
  }
  const { answerMs, periodMs } = settings;
  if (answerMs < periodMs) return settings;
  throw invalidOption(
    who,
    { 'detector.answerMs': answerMs },
    `less than \`periodMs\`, ${periodMs}`,
  );
}

/** Milliseconds: beyond an hour nobody waits for a verdict. */
const longestMs = 3_600_000;
const rules: Readonly<Record<keyof DetectorSettings, NumberRule>> = {
  periodMs: { above: 0, max: longestMs },
  answerMs: { above: 0, max: longestMs },
  suspicionMs: { above: 0, max: longestMs },
  helpers: { min: 0, integer: true },
  confirmations: { min: 0, integer: true },
  doubtFactor: { min: 1 },
  healthMax: { min: 0, integer: true },
};
