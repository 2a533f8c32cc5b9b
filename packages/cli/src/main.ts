#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 24) {
  console.error(`fnd needs Node 24 or newer, and this is ${process.version}.`);
  process.exitCode = 2;
} else {
  // Not before: an older Node cannot even load it.
  const { runCommandLine } = await import('./command-line.ts');
  process.exitCode = await runCommandLine(process.argv.slice(2));
}
