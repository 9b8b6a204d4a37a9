/** rewt's metrics and spans for OpenTelemetry: `rewt/otel`. */

import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api';
import { OptionError } from '../errors.js';
import { asArray, optionReader } from '../option-values.js';
import { measureWith, type Observed } from './otel-metrics.js';
import { traceWith } from './otel-spans.js';

export type { Observed } from './otel-metrics.js';

export interface InstrumentOptions {
  /** The members whose copies of the keyring the gauges show. Default: none. Operations and events are those of all members of the process. */
  members?: readonly Observed[] | undefined;
  /** Which spans there are. `'store'` (default): of refreshes, rotations and revocations, which is where time goes. `'all'`: also of each sign and verify. `'none'`. */
  spans?: 'store' | 'all' | 'none' | undefined;
  /** Default: the global one. */
  meterProvider?: MeterProvider | undefined;
  /** Default: the global one. */
  tracerProvider?: TracerProvider | undefined;
}

const optionNames = ['members', 'spans', 'meterProvider', 'tracerProvider'] as const;

/**
 * Measures all of rewt in this process, until what it returns is called. To call it twice counts everything twice.
 *
 * @throws {OptionError} for an option that is wrong.
 */
export function instrumentRewt(options: InstrumentOptions = {}): () => void {
  const option = optionReader(options, optionNames, 'instrumentRewt options');
  const members = option('members', asMembers, []);
  const spans = option('spans', asSpans, 'store');
  const meterProvider = option('meterProvider', asProvider<MeterProvider>('getMeter'), metrics);
  const tracerProvider = option('tracerProvider', asProvider<TracerProvider>('getTracer'), trace);

  const endMetrics = measureWith(meterProvider, members);
  const endSpans = spans === 'none' ? () => {} : traceWith(tracerProvider, spans === 'all');
  return () => {
    endMetrics();
    endSpans();
  };
}

function asMembers(value: unknown, option: string): readonly Observed[] {
  const members = asArray(value, option);
  if (members.every(isMember)) return members;
  throw new OptionError(`${option}: each must be what new Rewt() gives`, { option });
}

function isMember(value: unknown): value is Observed {
  return isObjectWith(value, 'status');
}

function asSpans(value: unknown, option: string): 'store' | 'all' | 'none' {
  if (value === 'store' || value === 'all' || value === 'none') return value;
  throw new OptionError(`${option}: must be 'store', 'all' or 'none'`, { option });
}

function asProvider<Provider>(verb: string): (value: unknown, option: string) => Provider {
  return (value, option) => {
    if (isObjectWith(value, verb)) return value as Provider;
    throw new OptionError(`${option}: must have ${verb}(), as the providers of OpenTelemetry's SDK do`, { option });
  };
}

function isObjectWith(value: unknown, verb: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, verb) === 'function';
}
