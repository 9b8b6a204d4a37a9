/**
 * Clients with the settings that hide an outage best: they queue, wait and repeat for as long as
 * they can.
 */
import {
  type Address,
  clientNamed,
  clients,
  clusterClients,
  connectGlide,
  connectGlideCluster,
  type Named,
  pools,
} from './redis-clients.js';

export const patientClients: Named<number> = [
  ...clients.map(patient),
  // One of redis 5 that is destroyed while commands wait throws three seconds later, whatever
  // code sent them.
  ...pools
    .filter(([name]) => name !== 'redis 5')
    .map(patient)
    .map(([name, connect]) => [`pool of ${name}`, connect] as const),
  // Rewt does not use the connection of this one, but makes its own.
  patient([
    'ioredis 6 with a prefix',
    (port, options) => clientNamed('ioredis 6')(port, { keyPrefix: 'app:', ...options }),
  ]),
  patient(['glide', connectGlide]),
];

export const patientClusterClients: Named<readonly Address[]> = [
  ...clusterClients.map(patient),
  patient(['glide', connectGlideCluster]),
];

function patient<Place>([name, connect]: Named<Place>[number]): Named<Place>[number] {
  return [name, (place, options) => connect(place, { ...patience(name), ...options })];
}

/** The rest wait for ever unless an option ends that. */
function patience(name: string): object {
  if (/ioredis|iovalkey/.test(name)) return { maxRetriesPerRequest: null, autoResendUnfulfilledCommands: true };
  return name === 'glide' ? { requestTimeout: 60_000 } : {};
}
