import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { FoundationError, messageOf } from '@foundation/core';
import { builtInProtocols, type AnyProtocol } from '@foundation/core/mabeam';

import { isObject } from './place.ts';

/**
 * The protocols of a module, which it exports under whatever names, before those that come with Foundation.
 *
 * @throws FoundationError `INVALID_OPTION` when it cannot be loaded, or exports none.
 */
export async function protocolsOf(module: string | undefined): Promise<readonly AnyProtocol[]> {
  if (module === undefined) return builtInProtocols;
  let exported: unknown;
  try {
    exported = await import(pathToFileURL(resolve(module)).href);
  } catch (error) {
    throw new FoundationError('INVALID_OPTION', `${module} cannot be loaded: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const own = Object.values(Object(exported)).filter(isProtocol);
  if (own.length > 0) return [...own, ...builtInProtocols];
  throw new FoundationError('INVALID_OPTION', `${module} exports no protocol`, {
    hint: 'A protocol has a `name`, a `version`, `parseSpec`, `parseReply`, `init` and `on`.',
  });
}

function isProtocol(value: unknown): value is AnyProtocol {
  if (!isObject(value)) return false;
  const { name, version } = value;
  // They may be methods of a class.
  const functions = ['parseSpec', 'parseReply', 'init', 'on'].map((field) => value[field]);
  return (
    typeof name === 'string' &&
    typeof version === 'string' &&
    functions.every((each) => typeof each === 'function')
  );
}
