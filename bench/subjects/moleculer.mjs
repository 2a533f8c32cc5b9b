/** Moleculer: actions and events of local services; its TCP transporter between OS processes. */
import { fileURLToPath } from 'node:url';

import { clusterSessions, serveMember } from './cluster.ts';
import { localSessions } from './local.ts';
import { loadPeer, peerVersion } from './peer.ts';
import { freePort } from './port.ts';
import { remoteSessions, serveParent, startServer } from './remote.ts';
import { serveSubject } from './subject.ts';

const { ServiceBroker } = loadPeer('moleculer');
const program = fileURLToPath(import.meta.url);
const [role, ...args] = process.argv.slice(2);

if (role === 'server') await serve(args);
else if (role === 'member') await serveMember((onMembers) => join(args, onMembers));
else {
  await serveSubject(peerVersion('moleculer'), {
    ...localSessions(openCounters),
    ...remoteSessions(openRemote),
    ...clusterSessions((cluster, index) => ({
      command: process.execPath,
      args: [...process.execArgv, program, 'member', cluster, `member-${index}`],
    })),
  });
}

async function openCounters(length) {
  const broker = new ServiceBroker({ logger: false });
  for (let index = 0; index < length; index++) broker.createService(counter(index));
  await broker.start();
  return {
    call: (index) => broker.call(`counter-${index}.add`, { add: 1 }),
    cast: (index) => broker.emit(`counter-${index}.cast`, { add: 1 }),
    count: (index) => broker.call(`counter-${index}.add`, { add: 0 }),
    close: () => broker.stop(),
  };
}

function counter(index) {
  let count = 0;
  const add = (ctx) => (count += ctx.params.add);
  return { name: `counter-${index}`, actions: { add }, events: { [`counter-${index}.cast`]: add } };
}

/** A broker on a port of the loopback that knows the addresses of all, as `tcp://host:port/name`. */
function staticBroker(nodeID, urls) {
  const options = { udpDiscovery: false, urls, useHostname: false };
  return new ServiceBroker({ nodeID, logger: false, transporter: { type: 'TCP', options } });
}

async function serve(urls) {
  const broker = staticBroker('server', urls);
  let oneWayCount = 0;
  broker.createService({
    name: 'echo',
    actions: { call: (ctx) => ctx.params.text, count: () => oneWayCount },
    events: {
      'echo.note': (ctx) => {
        oneWayCount += ctx.params.text.length === 100 ? 1 : 0;
      },
    },
  });
  await broker.start();
  serveParent('ready');
}

async function openRemote() {
  const [client, other] = await Promise.all([freePort(), freePort()]);
  const urls = [`tcp://127.0.0.1:${client}/client`, `tcp://127.0.0.1:${other}/server`];
  const server = await startServer(program, urls);
  const broker = staticBroker('client', urls);
  await broker.start();
  await broker.waitForServices('echo');
  const remote = {
    call: (text) => broker.call('echo.call', { text }),
    send: (text) => broker.emit('echo.note', { text }),
    arrived: () => broker.call('echo.count'),
    close: () => broker.stop(),
  };
  return [remote, server];
}

/** Joins without addresses, by Moleculer's own UDP discovery. */
async function join([namespace, nodeID], onMembers) {
  const broker = new ServiceBroker({ nodeID, namespace, logger: false, transporter: 'TCP' });
  const tell = () => onMembers(broker.registry.getNodeList({ onlyAvailable: true }).length);
  broker.createService({
    name: `watch-${nodeID}`,
    events: { '$node.connected': tell, '$node.disconnected': tell },
  });
  await broker.start();
}
