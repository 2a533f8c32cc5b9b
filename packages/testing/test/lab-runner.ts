// Opens a lab with a frozen program in it, and waits to be killed; tells the pids of what it has started.
import { Lab, spawnNode } from '@foundation/testing/lab';
import { runTestProgram } from '@foundation/testing/program';

import type { LabNode } from './lab-node.ts';

const lab = await Lab.open({ hosts: ['a', 'b'] });
const { address, through } = lab.host('a');
const program = new URL('lab-node.ts', import.meta.url);
const frozen = await spawnNode<LabNode>(program, { args: [address], through });
frozen.freeze();

const commands = { close: () => lab[Symbol.asyncDispose]() };
export type LabRunner = typeof commands;
runTestProgram(frozen.osPid, commands);
