import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { canonical } from '@foundation/core/mabeam';
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
    { id: 'i', replies: { get_vote: {} } },
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
    const timeless = ({ stdout }: Outcome): string => stdout.replaceAll(/"at":[\d.e-]+/g, '"at":0');
    expect(timeless(two)).toBe(timeless(one));
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

  it('names the field of a spec that makes no sense, and a file that is none', () => {
    const bad = file({ ...scenario, spec: { lot: 'x', side: 'both' } });
    expect(() => readScenario(bad)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        details: { problems: ['spec: side: expected sell or buy, got "both"'] },
      }),
    );
    expect(() => readScenario(file('{'))).toThrow(/is no JSON/);
    expect(() => readScenario(join(directory, 'none'))).toThrow(/cannot be read/);
  });
});

const problemsOf = (text: string): readonly string[] =>
  recompute(readEvidence(JSON.parse(text))).problems;

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
  });
});
