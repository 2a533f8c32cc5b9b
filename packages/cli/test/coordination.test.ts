import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { builtInProtocols, canonical } from '@foundation/core/mabeam';
import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readEvidence, recompute } from '../src/evidence.ts';
import { readScenario } from '../src/scenario.ts';
import type { CoordinationNode } from './coordination-node.ts';
import { fnd, type Outcome } from './fnd.ts';

const directory = mkdtempSync(join(tmpdir(), 'foundation-cli-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
/** Writes a file for one test. */
function file(content: unknown): string {
  const path = join(directory, `${++files}.json`);
  writeFileSync(path, typeof content === 'string' ? content : canonical(content));
  return path;
}

const scenario = {
  protocol: 'auction.vickrey',
  spec: { lot: 'cpu', reserve: '2' },
  options: { deadlineMs: 1_000, seed: 'one' },
  participants: [
    { id: 'a', replies: { get_bid: { amount: '10' } } },
    { id: 'b', replies: { get_bid: [{ amount: '8' }] }, delayMs: 30 },
    { id: 'c', replies: { get_bid: { truthful: '7' } } },
    { id: 'd', replies: { get_bid: { truthful: '1' } } },
    { id: 'e', replies: 'silent' },
    { id: 'f', replies: 'garbage' },
    { id: 'g', replies: 'dead' },
    { id: 'h', replies: { get_bid: [] } },
    { id: 'i', replies: {} },
  ],
};

describe('fnd coordination run', () => {
  it('holds a session among scripted participants and prints how it ended', async () => {
    const outcome = await fnd('coordination', 'run', file(scenario), '--no-record');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toEqual({
      status: 'decided',
      result: {
        lot: 'cpu',
        side: 'sell',
        winner: 'a',
        price: '8',
        bids: [
          { agent: 'a', amount: '10' },
          { agent: 'b', amount: '8' },
          { agent: 'c', amount: '7' },
        ],
      },
      participation: { asked: 9, ok: 3, declined: 2, silent: 2, invalid: 2 },
      reasons: {
        a: 'won',
        b: 'outbid',
        c: 'outbid',
        d: 'declined',
        e: 'silent',
        f: 'invalid',
        g: 'silent',
        h: 'declined',
        i: 'invalid',
      },
    });
  });

  it('says the same again, but for times, and another seed draws anew', async () => {
    const path = file({ ...scenario, options: { deadlineMs: 200, seed: 'one' } });
    const [one, two] = [
      await fnd('coordination', 'run', path),
      await fnd('coordination', 'run', path, '--json'),
    ];
    // On a busy machine answers come in another order, too.
    const timeless = ({ stdout }: Outcome): unknown => {
      const said = JSON.parse(stdout.replaceAll(/"at":[\d.e-]+/g, '"at":0'));
      const entries = said.record.entries.map(canonical).toSorted();
      return { ...said, record: { ...said.record, entries } };
    };
    expect(timeless(two)).toEqual(timeless(one));
    expect(JSON.parse(one.stdout).record.setup).toMatchObject({ seed: 'one', nonceKey: '' });
    const other = file({ ...scenario, options: { deadlineMs: 200, seed: 'two' } });
    const third = await fnd('coordination', 'run', other);
    expect(JSON.parse(third.stdout).record.setup.session).not.toBe(
      JSON.parse(one.stdout).record.setup.session,
    );
  });

  it('is fine with nobody winning', async () => {
    const nobody = { ...scenario, participants: [{ id: 'a', replies: 'dead' }] };
    const { code, stdout } = await fnd('coordination', 'run', file(nobody), '--no-record');
    expect([code, JSON.parse(stdout).status]).toEqual([0, 'no_deal']);
  });

  it('names all that is wrong with a file', async () => {
    const bad = {
      protocol: 'auction.vickery',
      specs: {},
      options: { deadlineMs: 'x', sed: 1, tie: 'seede', quorum: '3/2', seed: 5 },
      participants: [
        { id: 'a', replies: { get_bid: { truthful: -1 } } },
        { id: 'a', replies: 'silnt', delayMs: -1 },
        5,
      ],
    };
    const { code, stdout, stderr } = await fnd('coordination', 'run', file(bad));
    expect([code, stdout]).toEqual([2, '']);
    const lines = stderr.split('\n').map((line) => line.trim());
    for (const line of [
      'file: unknown field "specs", did you mean "spec"?',
      'options: unknown field "sed", did you mean "seed"?',
      'options.tie: expected one of seeded, lexicographic, report, got "seede", did you mean "seeded"?',
      'options.deadlineMs: expected milliseconds from 0 to 2147483647, got "x"',
      'options.seed: expected a text of at most 1024, got 5',
      'options.quorum: expected a whole number, or a part such as "2/3", got "3/2"',
      'participants[1].delayMs: expected milliseconds from 0 to 2147483647, got -1',
      'participants[1].id: "a" is there twice',
      'participants[2]: expected { id, replies, delayMs }, got 5',
    ]) {
      expect(lines).toContain(line);
    }
    expect(stderr).toContain('auction.vickery", did you mean "auction.vickrey"?');
    expect(stderr).toContain('participants[0].replies.get_bid.truthful: ');
    expect(stderr).toContain('got "silnt", did you mean "silent"?');
  });

  it('refuses replies that are never asked for, and what is no answer to what is asked', () => {
    const repliesOf = (...replies: readonly unknown[]): unknown => ({
      protocol: 'auction.english',
      spec: { lot: 'cpu', increment: '1' },
      participants: replies.map((each, at) => ({ id: `${at}`, replies: each })),
    });
    const fine = repliesOf({ stay: { stayUpTo: '5' } }, { stay: [{ stay: true }, null] }, {});
    expect(readScenario(file(fine)).participants).toHaveLength(3);
    const bad = repliesOf(
      { stya: { stay: true } },
      { get_bid: { bidUpTo: '5' } },
      { stay: { stayUpto: '5' } },
      { stay: { truthful: '5' } },
      { stay: [{ decline: 'no' }, { stay: 'yes', to: '5' }] },
    );
    const asked = 'it asks: stay';
    const ready = 'ready participants for it: stayUpTo';
    expect(() => readScenario(file(bad))).toThrow(
      expect.objectContaining({
        details: {
          problems: [
            `participants[0].replies: auction.english never asks "stya", did you mean "stay"?; ${asked}`,
            `participants[1].replies: auction.english never asks "get_bid" with this spec; ${asked}`,
            'participants[2].replies.stay: body: unknown field "stayUpto", did you mean "stayUpTo"?',
            `participants[3].replies.stay: "truthful" does not answer stay; ${ready}`,
            'participants[4].replies.stay[1]: body: unknown field "to"',
          ],
        },
      }),
    );
  });

  it('names every field of a spec that makes no sense, and a file that is none', () => {
    const bad = file({ ...scenario, spec: { lot: '', side: 'both', reserv: '2' } });
    expect(() => readScenario(bad)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        details: {
          problems: [
            'spec: unknown field "reserv", did you mean "reserve"?',
            'spec: lot: expected a text of 1 to 256 characters, got ""',
            'spec: side: expected sell or buy, got "both"',
          ],
        },
      }),
    );
    const nothing = expect.stringMatching(
      /^protocol: expected the name of .*nothing; known: auction/,
    );
    expect(() => readScenario(file({ participants: [] }))).toThrow(
      expect.objectContaining({ details: { problems: [nothing] } }),
    );
    expect(() => readScenario(file('{'))).toThrow(/is no JSON/);
    expect(() => readScenario(join(directory, 'none'))).toThrow(/cannot be read/);
  });
});

/** Counts who answers. */
/** Made by a class, as one may. */
const ownProtocol = `
const parsed = (value) => ({ ok: true, value });
class RollCall {
  name = 'example.roll_call';
  version = '1.0.0';
  traits = { maxRounds: () => 1, maxMessages: (n) => 2 * n };
  parseSpec(spec) {
    return parsed(spec);
  }
  parseReply(_type, body) {
    return parsed(body);
  }
  init(spec, to) {
    return { state: 0, effects: [{ kind: 'ask', to, type: 'present', body: spec }] };
  }
  on(state, { answers }) {
    const decision = { status: 'decided', result: answers.length };
    return { state, effects: [{ kind: 'finish', decision }] };
  }
}
export const rollCall = new RollCall();`;

const problemsOf = (text: string): readonly string[] =>
  recompute(readEvidence(JSON.parse(text)), builtInProtocols).problems;

describe('fnd coordination replay and verify', () => {
  it('find nothing wrong with what `run` printed, and name what was changed', async () => {
    const { stdout } = await fnd('coordination', 'run', file(scenario));
    const path = file(stdout);
    const again = await fnd('coordination', 'replay', path, '--json');
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse(stdout));
    expect(problemsOf(stdout)).toEqual([]);

    const lie = stdout.replace('"price":"8"', '"price":"9"');
    const found = await fnd('coordination', 'verify', file(lie), '--json');
    expect(found.code).toBe(1);
    expect(JSON.parse(found.stdout)).toEqual({
      ok: false,
      problems: ['`result` is not what the record leads to'],
    });
    const changed = stdout.replace('"verdict":"malformed"', '"verdict":"accepted"');
    expect(problemsOf(changed)[0]).toMatch(/^line \d+ of the record does not follow/);
    expect(() => problemsOf('{"hello":1}')).toThrow(
      'expected an audit log, an outcome or a record',
    );
    expect((await fnd('coordination', 'verify', 'no-such-file')).code).toBe(2);
    const { record: _, ...bare } = JSON.parse(stdout);
    expect(() => problemsOf(JSON.stringify(bare))).toThrow('printed with `--no-record`');
    const asked = { kind: 'request', at: 1, request: {} };
    const longer = JSON.parse(stdout);
    longer.record.entries.push(asked);
    expect(problemsOf(JSON.stringify(longer))).toContain(
      `line ${longer.record.entries.length} of the record does not follow from those before it`,
    );
  });

  it('know the protocols of a module, and say how when it is not named', async () => {
    const module = join(directory, 'own.mjs');
    writeFileSync(module, ownProtocol);
    const own = {
      protocol: 'example.roll_call',
      spec: 'Monday',
      participants: [{ id: 'ada', replies: { present: 'here' } }],
    };
    const known = ['--protocols', module];
    const { stdout } = await fnd('coordination', 'run', file(own), ...known);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'decided', result: 1 });
    expect(await fnd('coordination', 'verify', file(stdout), ...known)).toMatchObject({ code: 0 });
    const unknown = await fnd('coordination', 'verify', file(stdout));
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/ran "example.roll_call".*\n.*`--protocols /);

    const none = join(directory, 'none.mjs');
    writeFileSync(none, 'export const nothing = 1;');
    const without = await fnd('coordination', 'run', file(own), '--protocols', none);
    expect(without).toMatchObject({ code: 2 });
    expect(without.stderr).toContain('exports no protocol');
  });
});

describe('the sessions of a cluster', () => {
  let cluster: TestCluster<CoordinationNode>;
  let members: readonly TestProcess<CoordinationNode>[];

  beforeAll(async () => {
    cluster = new TestCluster<CoordinationNode>(new URL('coordination-node.ts', import.meta.url));
    members = await cluster.startAll(['a', 'b']);
    await cluster.formed(2);
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const look = (...words: readonly string[]): Promise<Outcome> =>
    fnd('coordination', ...words, '--cluster', cluster.name, '--directory', cluster.directory);

  it('are listed, shown, replayed and verified', async () => {
    const [a, b] = members;
    if (a === undefined || b === undefined) throw new Error('no nodes');
    const ended = await a.ask('auction', true);
    const running = await b.ask('begin');

    const listed = JSON.parse((await look('list', '--json')).stdout);
    expect(listed).toMatchObject({
      omitted: 0,
      unanswered: [],
      sessions: [
        { node: 'a', id: ended.id, protocol: 'auction.vickrey', status: 'decided', rounds: 1 },
        { node: 'b', id: running, status: 'running' },
      ],
    });
    expect((await look('list')).stdout).toContain(ended.id);

    const shown = JSON.parse((await look('show', ended.id, '--json')).stdout);
    expect(shown).toMatchObject({
      node: 'a',
      info: { status: 'decided' },
      outcome: { result: { price: '8' } },
      record: { setup: { nonceKey: '' } },
    });
    const open = JSON.parse((await look('show', running, '--json')).stdout);
    expect(open.record.entries).toHaveLength(1);
    expect(open).not.toHaveProperty('outcome');
    expect((await look('show', ended.id)).stdout).toContain('"winner":"a of a"');
    const nobody = await look('show', 'f'.repeat(32));
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain('no node knows a session');

    expect(await look('verify', file(shown))).toMatchObject({ code: 0, stdout: 'all is well\n' });
    // From the store, where the session is durable.
    expect(await look('verify', ended.id)).toMatchObject({ code: 0 });
    const replayed = JSON.parse((await look('replay', ended.id, '--json')).stdout);
    expect(replayed.result).toEqual(shown.outcome.result);
    expect((await look('verify', running)).code).toBe(1);

    const log = canonical(ended.log);
    expect((await look('verify', file(log))).code).toBe(0);
    const tampered = await look('verify', file(log.replace('"amount":"10"', '"amount":"11"')));
    expect(tampered.code).toBe(1);
    expect(tampered.stderr).toMatch(/^line [34] of the log: its content is not what was hashed/);
    const unsigned = await look('verify', file(log), '--signer', 'MCow');
    expect(unsigned.stderr).toContain('it is not signed');

    // The store is there when no node is.
    await Promise.all(members.map((member) => member.kill()));
    expect(await look('verify', ended.id)).toMatchObject({ code: 0, stdout: 'all is well\n' });
  });
});
