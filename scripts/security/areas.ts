import type { Area } from './attempt.ts';
import { decoders } from './bytes.ts';
import { certificates } from './certificates.ts';
import { greetings } from './greetings.ts';
import { members } from './members.ts';
import { strangers } from './strangers.ts';

/** All that is tried. Who answers on the local network is tried where discovery is tested. */
export const areas: Readonly<Record<string, () => Promise<Area>>> = {
  strangers,
  greetings,
  certificates,
  decoders,
  members,
};
