import type { Decoder } from './decoder.ts';
import { found } from './found.ts';
import { members } from './members.ts';
import { nats } from './nats.ts';
import { probeDecoders } from './probes.ts';
import { settings } from './settings.ts';
import { stored } from './stored.ts';
import { wire } from './wire.ts';

/** Everything that reads bytes from outside. */
export const decoders: readonly Decoder[] = [
  ...wire,
  ...probeDecoders(),
  ...members,
  ...stored,
  ...found,
  ...nats,
  ...settings,
];
