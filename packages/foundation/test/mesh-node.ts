/** A node in a process of its own: dials the address it is given, sends frames, and stays. */
import { MeshTransport } from '@foundation/core/internal';

const [address = '', secretHex = '', frames = '0'] = process.argv.slice(2);
const transport = new MeshTransport({ secret: Buffer.from(secretHex, 'hex') });
const identity = { cluster: 'test', node: 'child', incarnation: 1, meta: {} };
await transport.start(identity, {
  admit: () => undefined,
  onLink: () => {},
  onFrame: () => {},
  onDown: () => {},
  onRefused: () => {},
});
try {
  const link = await transport.dial(address);
  for (let index = 0; index < Number(frames); index++) link.send('normal', Buffer.from(`${index}`));
  setImmediate(() => process.send?.('sent'));
} catch (error) {
  process.send?.(error instanceof Error && 'code' in error ? error.code : 'failed');
}
process.on('disconnect', () => process.exit(0));
