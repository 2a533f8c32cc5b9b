import { FoundationError } from './errors.ts';

/**
 * Loads a package that only those install who use what needs it.
 *
 * @throws FoundationError `INVALID_OPTION` with what to install when it is not there.
 */
export async function optionalPeer<Module>(
  { who, name }: { readonly who: string; readonly name: string },
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    throw new FoundationError(
      'INVALID_OPTION',
      `${who} needs the package ${name}, which cannot be loaded`,
      {
        hint: `Run: npm install ${name}`,
        details: { package: name },
        cause,
      },
    );
  }
}
