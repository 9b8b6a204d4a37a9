/**
 * The metrics of rewt: their instruments, and the messages that each one counts.
 *
 * Names, units and attributes follow OpenTelemetry's conventions (dots, seconds, `error.type`). The
 * meter decides where the values go.
 */

import type { PlanName } from '../keyring/plan.js';
import type { Status } from '../status.js';
import { type ChannelMessages, type OperationMessage, subscribe } from './channels.js';

export type Labels = Readonly<Record<string, string | boolean>>;

interface Instrument {
  readonly description: string;
  /** A UCUM unit, with braces around what is counted. */
  readonly unit: string;
}

/** From a microsecond, about one signature, to the seconds of a store timeout. */
const OPERATION_SECONDS = [0.000_005, 0.000_025, 0.000_1, 0.001, 0.01, 0.1, 1, 5];
const REFRESH_SECONDS = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5];

/** A counter starts at 0 for each set of labels, so that a rate includes the first event. */
interface Counter extends Instrument {
  readonly zeros: readonly Labels[];
}

const SECRETS = ['current', 'next', 'retired', 'unnamed'] as const satisfies OperationMessage['secret'][];
const REVOKING = ['revocation', 'brake', 'rollback', 'bootstrap', 'adopt'] as const satisfies PlanName[];

export const counters = {
  'rewt.verifications': {
    unit: '{token}',
    description: 'Tokens that were good, by the secret that had signed them.',
    zeros: SECRETS.map((secret) => ({ 'rewt.secret': secret })),
  },
  'rewt.rotations': {
    unit: '{rotation}',
    description: 'Rotations that this process has seen.',
    zeros: [{ 'rewt.own': true }, { 'rewt.own': false }],
  },
  'rewt.revocations': {
    unit: '{revocation}',
    description: 'Revocations that this process has seen.',
    zeros: [
      { 'rewt.own': false, 'rewt.cause': 'read' },
      ...REVOKING.map((cause) => ({ 'rewt.own': true, 'rewt.cause': cause })),
    ],
  },
  'rewt.outages': {
    unit: '{outage}',
    description: 'Times that the store could not be used any more.',
    zeros: [{}],
  },
  'rewt.warnings': {
    unit: '{warning}',
    description: 'Things that an operator should mend.',
    // The codes are not known in advance.
    zeros: [],
  },
} as const satisfies Record<string, Counter>;

export const histograms = {
  'rewt.operation.duration': {
    unit: 's',
    description: 'Calls of sign, verify, rotate and revoke, with all waiting.',
    boundaries: OPERATION_SECONDS,
  },
  'rewt.refresh.duration': {
    unit: 's',
    description: 'Reads of the keyring, with the write that one led to.',
    boundaries: REFRESH_SECONDS,
  },
} as const satisfies Record<string, Instrument & { readonly boundaries: readonly number[] }>;

interface Gauge extends Instrument {
  /** Null: no value at this time. */
  readonly of: (status: Status) => number | null;
  /** Beside the namespace. */
  readonly labels?: (status: Status) => Labels;
}

/** Values that are read when the meter collects them. */
export const gauges = {
  'rewt.keyring.age': {
    unit: 's',
    description: 'Since the copy of the keyring was last known to be right.',
    of: ({ ageSeconds }) => ageSeconds,
  },
  'rewt.keyring.usable': {
    unit: '{member}',
    description: '1 if the copy may be used, 0 if every operation fails until the store answers.',
    of: ({ copy }) => (copy === 'usable' ? 1 : 0),
  },
  'rewt.keyring.epoch': {
    unit: '{revocation}',
    description: 'Revocations in the life of the keyring.',
    of: ({ keyring }) => keyring?.epoch ?? null,
  },
  'rewt.keyring.retired': {
    unit: '{secret}',
    description: 'Retired secrets that still verify.',
    of: ({ keyring }) => keyring?.retired.length ?? null,
  },
  'rewt.keyring.expiry': {
    unit: 's',
    description: 'When the current secret stops signing: seconds since the epoch.',
    of: ({ keyring }) => (keyring === null ? null : keyring.current.expiresAt.getTime() / 1_000),
  },
  'rewt.keyring.sealed': {
    unit: '{keyring}',
    description: '1 if the keyring is sealed, with the id of its key; 0 if it is plain text.',
    of: ({ keyring }) => (keyring === null ? null : keyring.sealed === null ? 0 : 1),
    labels: ({ keyring }) => ({ 'rewt.seal_key': keyring?.sealed?.keyId ?? '' }),
  },
  'rewt.keyring.unsealed': {
    unit: '{keyring}',
    description: '1 if the keyring is plain text although this member has a seal key.',
    of: ({ keyring, sealKeys }) => (keyring?.sealed === null && sealKeys.length > 0 ? 1 : 0),
  },
  'rewt.push.on': {
    unit: '{member}',
    description: '1 if changes by other members arrive at once.',
    of: ({ push }) => (push.state === 'on' ? 1 : 0),
  },
} as const satisfies Record<string, Gauge>;

export type CounterName = keyof typeof counters;
export type HistogramName = keyof typeof histograms;
export type GaugeName = keyof typeof gauges;

/** Receives the measurements. */
export interface Meter {
  add(name: CounterName, value: number, labels: Labels): void;
  record(name: HistogramName, seconds: number, labels: Labels): void;
}

/** Records every event of the keyrings of this process, until the returned function is called. */
export function measure(meter: Meter): () => void {
  const known = new Set<string>();

  /** Starts the counters of a namespace at 0 with its first message. */
  function begin(namespace: string): void {
    if (known.has(namespace)) return;
    known.add(namespace);
    for (const name of Object.keys(counters) as CounterName[]) {
      for (const labels of counters[name].zeros) meter.add(name, 0, { 'rewt.namespace': namespace, ...labels });
    }
  }

  function on<Name extends keyof ChannelMessages>(
    name: Name,
    record: (message: ChannelMessages[Name], of: Labels) => void,
  ): () => void {
    return subscribe(name, (message) => {
      begin(message.namespace);
      record(message, { 'rewt.namespace': message.namespace });
    });
  }

  const subscriptions = [
    on('operation', ({ operation, outcome, fault, durationMs, secret }, of) => {
      const labels = {
        ...of,
        'rewt.operation': operation,
        ...errorType(outcome),
        ...(fault === null ? {} : { 'rewt.fault': fault }),
      };
      meter.record('rewt.operation.duration', durationMs / 1_000, labels);
      if (secret !== null) meter.add('rewt.verifications', 1, { ...of, 'rewt.secret': secret });
    }),
    on('refresh', ({ outcome, durationMs }, of) => {
      meter.record('rewt.refresh.duration', durationMs / 1_000, { ...of, ...errorType(outcome) });
    }),
    on('rotated', ({ own }, of) => meter.add('rewt.rotations', 1, { ...of, 'rewt.own': own })),
    on('revoked', ({ own, cause }, of) => {
      meter.add('rewt.revocations', 1, { ...of, 'rewt.own': own, 'rewt.cause': cause });
    }),
    on('degraded', (_message, of) => meter.add('rewt.outages', 1, of)),
    on('warning', ({ code }, of) => meter.add('rewt.warnings', 1, { ...of, 'rewt.warning': code })),
  ];
  return () => {
    for (const end of subscriptions) end();
  };
}

/** Returns the value of a gauge, and its labels; null for no value at this time. */
export function gaugeOf(name: GaugeName, status: Status): { value: number; labels: Labels } | null {
  const gauge: Gauge = gauges[name];
  const value = gauge.of(status);
  return value === null ? null : { value, labels: { 'rewt.namespace': status.namespace, ...gauge.labels?.(status) } };
}

/**
 * Returns the attribute of OpenTelemetry's convention: set if the operation failed, absent if not.
 */
export function errorType(outcome: string): Labels {
  return outcome === 'ok' ? {} : { 'error.type': outcome };
}
