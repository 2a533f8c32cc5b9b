import { printNodes } from '../../packages/cli/src/nodes.ts';
import { table } from '../../packages/cli/src/table.ts';
import { parseAddress } from '../../packages/foundation/src/cluster/address.ts';
import {
  decodeRefusal,
  encodeRefusal,
} from '../../packages/foundation/src/cluster/transports/mesh-hello.ts';
import { FoundationError } from '../../packages/foundation/src/errors.ts';
import { isNodeName } from '../../packages/foundation/src/internal.ts';
import { printable } from '../../packages/foundation/src/printable.ts';
import { type Area, type Attempt, pureArea } from './attempt.ts';

/** Texts that pretend to be something else where they are shown. */
const texts: Readonly<Record<string, string>> = {
  'a further line': 'n1\n2026-11-27 admin logged in',
  'a carriage return': 'n1\r2026-11-27 admin logged in',
  'a cleared screen': '\u001b[2J\u001b[H',
  'a title of the terminal': '\u001b]0;owned\u0007',
  'a link of the terminal': '\u001b]8;;https://evil.example\u0007n1\u001b]8;;\u0007',
  'an 8-bit control sequence': '\u009b2J',
  'text from right to left': 'n1 \u202egpj.exe',
  'an isolate': 'n1 \u2066x\u2069',
  'a zero-width space': 'n\u200b1',
  'a byte order mark': '\ufeffn1',
  'a line separator': 'n1\u2028n2',
  'a next line': 'n1\u0085n2',
  'a NUL': 'n1\u0000n2',
  'a backspace': 'n2\u00081',
  'half of a character': 'n1\ud800',
};

/** Where texts of others are shown. */
export async function shownTexts(): Promise<Area> {
  return pureArea(
    Object.entries(texts)
      .flatMap(([name, text]) => shownOf(name, text))
      .concat(patterns()),
  );
}

const escaped = 'ESCAPED';

function isPlain(shown: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(shown.replaceAll('\n', ''));
}

function shownOf(name: string, text: string): readonly Attempt[] {
  const threat = 'T21 log injection and leaks';
  const attempt = (where: string, show: () => string): Attempt => ({
    name: `${name} in ${where}`,
    threat,
    expected: escaped,
    run: () => (isPlain(show()) ? escaped : 'it is shown as it is'),
  });
  return [
    attempt('the reason of a refusal', () => {
      const error = new FoundationError('NAME_TAKEN', text, {
        hint: text,
        details: { node: text },
      });
      const heard = decodeRefusal(encodeRefusal(error), 'n2');
      return `${heard.message} ${heard.hint} ${JSON.stringify(heard.details)}`.replaceAll(
        '\n',
        '?',
      );
    }),
    attempt('a table of fnd', () =>
      table([text], { name: (row) => row })
        .split('\n')
        .slice(1)
        .join('?'),
    ),
    attempt('the list of nodes', () => {
      const known = {
        node: 'n1',
        incarnation: 1,
        status: 'up',
        link: 'up',
        isSilent: false,
        isStalled: false,
        osPid: 1,
        isSelf: false,
        isDraining: false,
      } as const;
      const nodes = [{ ...known, role: text, address: text }];
      return printNodes({ nodes, health: undefined }).split('\n').slice(1).join('?');
    }),
    {
      name: `${name} as the name of a node`,
      threat,
      expected: 'INVALID_NODE_NAME',
      run: () => (isNodeName(text) ? 'admitted' : 'INVALID_NODE_NAME'),
    },
  ];
}

/** Texts of 10 KiB that are slow for a careless pattern. */
function patterns(): readonly Attempt[] {
  const slow: Readonly<Record<string, string>> = {
    'of one letter': 'a'.repeat(10_000),
    'of dots': '.'.repeat(10_000),
    'of dashes': '-'.repeat(10_000),
    'of names with dots': 'a.'.repeat(5_000),
    'of brackets': '['.repeat(10_000),
    'of colons': ':'.repeat(10_000),
    'of spaces': `${' '.repeat(10_000)}x`,
    'of control characters': '\u001b'.repeat(10_000),
  };
  const limitMs = 50;
  return Object.entries(slow).map(([name, text]) => ({
    name: `a text ${name}, read as everything`,
    threat: 'T24 slow patterns',
    expected: 'FAST',
    run: () => {
      const began = performance.now();
      parseAddress(text);
      parseAddress(`[${text}]:1`);
      isNodeName(text);
      printable(text);
      const ms = performance.now() - began;
      return ms <= limitMs ? 'FAST' : `took ${ms.toFixed(0)} ms`;
    },
  }));
}
