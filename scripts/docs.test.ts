import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { agentsErrors } from '../packages/agents/src/index.ts';
import { dspexErrors } from '../packages/dspex/src/index.ts';
import { foundationErrors, startNode } from '../packages/foundation/src/index.ts';
import { MemoryNetwork, MemoryTransport } from '../packages/foundation/src/internal.ts';
import { mlErrors } from '../packages/ml/src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** First cells of all rows of all tables, where they are code. */
function rowsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name ?? '');
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

describe('docs/reference/telemetry.md', () => {
  const rows = rowsOf(read('docs/reference/telemetry.md'));

  it('has a row for each event and each counter of a node, and no other', async () => {
    const [, fields = ''] =
      /interface NodeEvents \{\n(.*?)^\}/ms.exec(read('packages/foundation/src/events.ts')) ?? [];
    const events = [...fields.matchAll(/^ {2}'?([\w-]+)'?: \{/gm)].map(([, name]) => name ?? '');
    expect(events).toContain('member-up');
    await using node = await startNode({ cluster: 'off' });
    expect(rows.toSorted()).toEqual([...events, ...Object.keys(node.counters())].toSorted());
  });

  it('names each counter of a transport', () => {
    const text = read('docs/reference/telemetry.md');
    const counters = Object.keys(new MemoryTransport(new MemoryNetwork()).counters());
    expect(counters.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
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
