/** rewt's metrics as instruments of an OpenTelemetry meter. */

import type { MeterProvider, ObservableResult } from '@opentelemetry/api';
import type { Observed } from '../status.js';
import { counters, type GaugeName, gaugeOf, gauges, histograms, measure } from './metrics.js';

export function measureWith(provider: MeterProvider, members: readonly Observed[]): () => void {
  const meter = provider.getMeter('rewt');
  const counterOf = byName(counters, (name, { unit, description }) => meter.createCounter(name, { unit, description }));
  const histogramOf = byName(histograms, (name, { boundaries, ...what }) =>
    meter.createHistogram(name, { ...what, advice: { explicitBucketBoundaries: [...boundaries] } }),
  );
  const observations = (Object.keys(gauges) as GaugeName[]).map((name) => {
    const { unit, description } = gauges[name];
    const gauge = meter.createObservableGauge(name, { unit, description });
    const observe = (result: ObservableResult): void => {
      for (const member of members) {
        const read = gaugeOf(name, member.status());
        if (read !== null) result.observe(read.value, read.labels);
      }
    };
    gauge.addCallback(observe);
    return () => gauge.removeCallback(observe);
  });
  const end = measure({
    add: (name, value, labels) => counterOf[name].add(value, labels),
    record: (name, seconds, labels) => histogramOf[name].record(seconds, labels),
  });
  return () => {
    end();
    for (const stop of observations) stop();
  };
}

function byName<Table extends object, Made>(
  table: Table,
  make: (name: string, what: Table[keyof Table]) => Made,
): Readonly<Record<keyof Table, Made>> {
  const made = Object.entries(table).map(([name, what]) => [name, make(name, what as Table[keyof Table])]);
  return Object.fromEntries(made) as Record<keyof Table, Made>;
}
