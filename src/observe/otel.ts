/** rewt's metrics and spans for OpenTelemetry: `rewt/otel`. */

import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api';
import { OptionError } from '../errors.js';
import type { Observed } from '../status.js';
import { type OptionReaders, optionReader, readArray } from '../validation/option-values.js';
import { hasMethods } from '../validation/plain-object.js';
import { measureWith } from './otel-metrics.js';
import { traceWith } from './otel-spans.js';

export type { Observed } from '../status.js';

/** Options of `instrumentRewt`. */
export interface InstrumentOptions {
  /**
   * The members whose cached keyrings the gauges show. Default: none. Operations and events come
   * from all members of the process.
   */
  members?: readonly Observed[] | undefined;
  /**
   * The spans to make. `'store'` (default): refreshes, rotations and revocations, which take the
   * most time. `'all'`: also each sign and verify. `'none'`: no spans.
   */
  spans?: 'store' | 'all' | 'none' | undefined;
  /** Makes the meters. Default: the global one. */
  meterProvider?: MeterProvider | undefined;
  /** Makes the tracers. Default: the global one. */
  tracerProvider?: TracerProvider | undefined;
}

const readers = {
  members: readMembers,
  spans: readSpans,
  meterProvider: readProvider<MeterProvider>('getMeter'),
  tracerProvider: readProvider<TracerProvider>('getTracer'),
} satisfies OptionReaders<InstrumentOptions>;

/**
 * Measures all members in this process, until the returned function is called. A second call counts
 * everything twice.
 *
 * @throws {OptionError} for an option that is wrong.
 *
 * @example
 * ```ts
 * import { instrumentRewt } from 'rewt/otel';
 *
 * const stop = instrumentRewt({ members: [rewt] });
 * process.once('SIGTERM', stop);
 * ```
 */
export function instrumentRewt(options: InstrumentOptions = {}): () => void {
  const option = optionReader(options, readers, 'instrumentRewt options');
  const members = option('members', []);
  const spans = option('spans', 'store');
  const meterProvider = option('meterProvider', metrics);
  const tracerProvider = option('tracerProvider', trace);

  const endMetrics = measureWith(meterProvider, members);
  const endSpans = spans === 'none' ? () => {} : traceWith(tracerProvider, spans === 'all');
  return () => {
    endMetrics();
    endSpans();
  };
}

function readMembers(value: unknown, option: string): readonly Observed[] {
  const members = readArray(value, option);
  if (members.every(isMember)) return members;
  throw new OptionError(`${option}: each must be what new Rewt() gives`, { option });
}

function isMember(value: unknown): value is Observed {
  return hasMethods(value, 'status');
}

function readSpans(value: unknown, option: string): 'store' | 'all' | 'none' {
  if (value === 'store' || value === 'all' || value === 'none') return value;
  throw new OptionError(`${option}: must be 'store', 'all' or 'none'`, { option });
}

function readProvider<Provider>(verb: string): (value: unknown, option: string) => Provider {
  return (value, option) => {
    if (hasMethods(value, verb)) return value as Provider;
    throw new OptionError(`${option}: must have ${verb}(), as the providers of OpenTelemetry's SDK do`, { option });
  };
}
