import type { Area } from './attempt.ts';
import { bids } from './bids.ts';
import { decoders } from './bytes.ts';
import { certificates } from './certificates.ts';
import { files } from './files.ts';
import { greetings } from './greetings.ts';
import { links } from './links.ts';
import { members } from './members.ts';
import { options } from './options.ts';
import { strangers } from './strangers.ts';
import { shownTexts } from './texts.ts';

/** All that is tried. Who answers on the local network is tried where discovery is tested. */
export const areas: Readonly<Record<string, () => Promise<Area>>> = {
  strangers,
  greetings,
  links,
  certificates,
  decoders,
  bids,
  members,
  options,
  files,
  shownTexts,
};
