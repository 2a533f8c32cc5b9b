import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { agentsErrors } from '../packages/agents/src/index.ts';
import { dspexErrors } from '../packages/dspex/src/index.ts';
import { profiles } from '../packages/foundation/src/config/profiles.ts';
import { environmentName } from '../packages/foundation/src/config/setting.ts';
import { settings } from '../packages/foundation/src/config/settings.ts';
import { foundationErrors, startNode } from '../packages/foundation/src/index.ts';
import { MemoryNetwork, MemoryTransport } from '../packages/foundation/src/internal.ts';
import {
  builtInProtocols,
  readyReplies,
  requestTypes,
} from '../packages/foundation/src/mabeam/index.ts';
import { exitReasons } from '../packages/foundation/src/process/exit.ts';
import { metricKinds } from '../packages/foundation/src/telemetry/metrics.ts';
import { mlErrors } from '../packages/ml/src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** First cells of all rows of all tables, where they are code. */
function rowsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name ?? '');
}

/** Fields of an interface in a source file, each with the fields of its own type where that is written out. */
function fieldsOf(path: string, name: string): ReadonlyMap<string, readonly string[]> {
  const start = new RegExp(`interface ${name}\\b.*?\\{\\n(.*?)^\\}`, 'ms');
  const [, body = ''] = start.exec(read(path)) ?? [];
  const fields = body.matchAll(/^ {2}(?:readonly )?'?([\w-]+)'?\??: (?:\{(.*?)\};$|)/gms);
  return new Map(
    [...fields].map(([, field = '', own = '']) => [
      field,
      [...own.matchAll(/readonly (\w+)/g)].map(([, inner = '']) => inner),
    ]),
  );
}

describe('docs/reference/errors.md', () => {
  const errors = { ...foundationErrors, ...agentsErrors, ...mlErrors, ...dspexErrors };
  const described = [
    ...read('docs/reference/errors.md').matchAll(
      /^### ([A-Z_]+)\n\n\*Outcome (unknown|not-executed), (not )?retryable\.\*/gm,
    ),
  ].map(([, code, outcome, not]) => [code, { retryable: not === undefined, outcome }]);

  it('has a heading for each code and no other, with what one may conclude from it', () => {
    expect(Object.fromEntries(described)).toEqual(errors);
  });

  it('has each code once', () => {
    expect(described).toHaveLength(Object.keys(errors).length);
  });
});

describe('docs/guide/configuration.md', () => {
  it('has a row for each setting, with its variables and its choices, and no other', () => {
    const rows = read('docs/guide/configuration.md').split('## Settings')[1] ?? '';
    expect(rowsOf(rows.replaceAll('.', '-'))).toEqual(
      settings.map(({ path }) => path.replaceAll('.', '-')),
    );
    for (const setting of settings) {
      const row = rows.split('\n').find((each) => each.startsWith(`| \`${setting.path}\``)) ?? '';
      const choices = setting.type.kind === 'choice' ? setting.type.of : [];
      const words = [environmentName(setting), ...(setting.aliases ?? []), ...choices];
      expect(words.filter((word) => !row.includes(`\`${word}\``))).toEqual([]);
    }
  });

  it('has a row for each profile', () => {
    const [, rows = ''] = read('docs/guide/configuration.md').split('## Profiles');
    expect(rowsOf(rows.split('##')[0] ?? '')).toEqual(Object.keys(profiles));
  });
});

describe('docs/reference/telemetry.md', () => {
  const text = read('docs/reference/telemetry.md');
  const events = fieldsOf('packages/foundation/src/events.ts', 'NodeEvents');

  it('has a row for each event and each counter of a node, and no other', async () => {
    expect([...events.keys()]).toContain('member-up');
    await using node = await startNode({ cluster: 'off' });
    const known = [...events.keys(), ...Object.keys(node.counters())];
    expect(rowsOf(text.split('## Metrics')[0] ?? '').toSorted()).toEqual(known.toSorted());
  });

  it.each([...events])('names the fields of the event %s', (name, fields) => {
    const row = new RegExp(`^\\| \`${name}\` .*$`, 'm').exec(text)?.[0] ?? '';
    expect(fields.filter((field) => !row.includes(`\`${field}\``))).toEqual([]);
  });

  it('has a row for each metric, with its kind, and no other', () => {
    const rows = [...text.matchAll(/^\| `(foundation\.[\w.]+)` +\| (\w+) /gm)];
    const kinds = Object.entries(metricKinds).map(([name, { kind }]) => [name, kind]);
    expect(rows.map(([, name, kind]) => [name, kind])).toEqual(kinds);
  });

  it('names each field of a process and of its statistics', () => {
    const source = 'packages/foundation/src/introspection';
    const fields = [
      ...fieldsOf(`${source}/process-info.ts`, 'ProcessInfo').keys(),
      ...fieldsOf(`${source}/introspection.ts`, 'ProcessStatistics').keys(),
    ];
    expect(fields).toContain('waitP99Ms');
    expect(fields.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('names each counter of a transport', () => {
    const counters = Object.keys(new MemoryTransport(new MemoryNetwork()).counters());
    expect(counters.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('docs/reference/processes.md', () => {
  const text = read('docs/reference/processes.md');
  const definition = 'packages/foundation/src/process/definition.ts';
  const names = ['Placement', 'Spec', 'Context', 'Notices'];

  it.each(names)('names each field of %s', (name) => {
    const fields = [...fieldsOf(definition, name).keys()];
    expect(fields.length).toBeGreaterThan(2);
    const words = new Set(text.match(/\w+/g));
    expect(fields.filter((field) => !words.has(field))).toEqual([]);
  });

  it('has a row for each exit reason and no other', () => {
    const [, table = ''] = text.split('## Exit reasons');
    const rows = rowsOf(table.split('\n## ')[0] ?? '');
    expect(rows.toSorted()).toEqual(exitReasons.toSorted());
  });
});

describe('docs/reference/coordination.md', () => {
  const [ends = '', table = ''] = read('docs/reference/coordination.md').split('## Mechanisms');
  const union = (name: string): readonly string[] => {
    const [, members = ''] =
      new RegExp(`export type ${name} =([^;]*);`).exec(
        read('packages/foundation/src/mabeam/protocol.ts'),
      ) ?? [];
    return [...members.matchAll(/'(\w+)'/g)].map(([, member = '']) => member);
  };
  const codes = (cell: string): readonly string[] =>
    [...cell.matchAll(/`([\w.]+)`/g)].map(([, code = '']) => code);
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, -1).map(codes));

  it('has a row for each status and each reason, and no other', () => {
    const known = [...union('OutcomeStatus'), ...union('LossReason')];
    expect(known).toContain('tie_lost');
    expect(rowsOf(ends).toSorted()).toEqual(known.toSorted());
  });

  it('has each protocol once', () => {
    const known = builtInProtocols.map(({ name }) => name);
    expect(rows.flatMap(([names = []]) => names).toSorted()).toEqual(known.toSorted());
  });

  it.each(rows)('says what %j is asked, who is ready for it, and how it ends', (...cells) => {
    const [names = [], types = [], ready = [], statuses = [], reasons = []] = cells;
    for (const name of names) {
      expect(types).toEqual(requestTypes(name, undefined));
      const answering = Object.entries(readyReplies).filter(([, { answers }]) =>
        answers.some((type) => types.includes(type)),
      );
      expect(ready).toEqual(answering.map(([each]) => each).toSorted());
    }
    expect(statuses.filter((each) => !union('OutcomeStatus').includes(each))).toEqual([]);
    expect(reasons.filter((each) => !union('LossReason').includes(each))).toEqual([]);
  });
});

describe('the documents', () => {
  const documents = globSync(['*.md', 'docs/**/*.md', 'examples/*/*.md'], { cwd: root });

  it('lead nowhere that is not there', () => {
    const dead = documents.flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:)([^)\s]*)\)/g)]
        .map(([, link = '']) => link)
        .filter((link) => !leadsSomewhere(path, link))
        .map((link) => `${path}: ${link}`),
    );
    expect(dead).toEqual([]);
  });

  it('name only source files that are there', () => {
    const homes = ['', 'packages/foundation/src/', 'packages/foundation/src/cluster/'];
    const missing = [...documents].flatMap((path) =>
      [...read(path).matchAll(/`([\w-]+(?:\/[\w-]+)+\.ts)`/g)]
        .map(([, file = '']) => file)
        .filter((file) => !homes.some((home) => existsSync(join(root, home, file))))
        .map((file) => `${path}: ${file}`),
    );
    expect(missing).toEqual([]);
  });
});

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? from : join(dirname(from), file);
  if (!existsSync(join(root, target))) return false;
  if (anchor === undefined) return true;
  const headings = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
    anchorOf(text ?? ''),
  );
  return headings.includes(anchor);
}

/** What GitHub makes of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
