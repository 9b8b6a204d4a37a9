/** rewt's metrics in Prometheus' text format, for a process that serves them itself. */

import {
  type CounterName,
  counters,
  type GaugeName,
  gaugeOf,
  gauges,
  type HistogramName,
  histograms,
  type Labels,
  type Meter,
  measure,
} from '../../observe/metrics.js';
import type { Status } from '../../status.js';

/** https://prometheus.io/docs/instrumenting/exposition_formats */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Prometheus {
  /** Returns all measurements so far. */
  text(): string;
  end(): void;
}

interface Recorded {
  readonly buckets: number[];
  sum: number;
  count: number;
}

/** Measures all members in this process from now on, and shows the copies of the given ones. */
export function createPrometheus(members: readonly { status(): Status }[]): Prometheus {
  const counts = new Map<CounterName, Map<string, number>>();
  const records = new Map<HistogramName, Map<string, Recorded>>();

  const meter: Meter = {
    add(name, value, labels) {
      const series = within(counts, name, () => new Map<string, number>());
      const key = labelText(labels);
      series.set(key, (series.get(key) ?? 0) + value);
    },
    record(name, seconds, labels) {
      const { boundaries } = histograms[name];
      const series = within(records, name, () => new Map<string, Recorded>());
      const record = within(series, labelText(labels), () => ({ buckets: boundaries.map(() => 0), sum: 0, count: 0 }));
      record.sum += seconds;
      record.count += 1;
      for (const [at, most] of boundaries.entries())
        if (seconds <= most) record.buckets[at] = (record.buckets[at] ?? 0) + 1;
    },
  };
  const end = measure(meter);

  return {
    end,
    text() {
      const lines: string[] = [];
      for (const [name, { description, unit }] of entriesOf(counters)) {
        const shown = prometheusName(name, unit, 'counter');
        lines.push(...head(shown, description, 'counter'));
        for (const [labels, value] of counts.get(name) ?? []) lines.push(sample(shown, labels, value));
      }
      for (const [name, { description, unit, boundaries }] of entriesOf(histograms)) {
        const shown = prometheusName(name, unit, 'histogram');
        lines.push(...head(shown, description, 'histogram'));
        for (const [labels, record] of records.get(name) ?? []) {
          for (const [at, most] of boundaries.entries()) {
            lines.push(sample(`${shown}_bucket`, join(labels, `le="${most}"`), record.buckets[at] ?? 0));
          }
          lines.push(sample(`${shown}_bucket`, join(labels, 'le="+Inf"'), record.count));
          lines.push(sample(`${shown}_sum`, labels, record.sum), sample(`${shown}_count`, labels, record.count));
        }
      }
      for (const [name, { description, unit }] of entriesOf(gauges)) {
        const shown = prometheusName(name, unit, 'gauge');
        lines.push(...head(shown, description, 'gauge'));
        for (const member of members) {
          const read = gaugeOf(name, member.status());
          if (read !== null) lines.push(sample(shown, labelText(read.labels), read.value));
        }
      }
      return `${lines.join('\n')}\n`;
    },
  };
}

/**
 * Returns a name as OpenTelemetry's specification ("Prometheus and OpenMetrics Compatibility")
 * requires, like Prometheus and the Collector do.
 */
function prometheusName(
  name: CounterName | HistogramName | GaugeName,
  unit: string,
  kind: 'counter' | 'histogram' | 'gauge',
): string {
  // A count in braces is no unit.
  return `${underscored(name)}${unit === 's' ? '_seconds' : ''}${kind === 'counter' ? '_total' : ''}`;
}

function underscored(name: string): string {
  return name.replaceAll('.', '_');
}

function head(name: string, description: string, kind: string): string[] {
  return [`# HELP ${name} ${description}`, `# TYPE ${name} ${kind}`];
}

function sample(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${underscored(name)}="${escaped(String(value))}"`)
    .join(',');
}

function join(labels: string, label: string): string {
  return labels === '' ? label : `${labels},${label}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function within<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

function entriesOf<Table extends object>(table: Table): [keyof Table, Table[keyof Table]][] {
  return Object.entries(table) as [keyof Table, Table[keyof Table]][];
}
