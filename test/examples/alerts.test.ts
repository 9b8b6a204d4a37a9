/**
 * The alerts and the dashboard of examples/observability, held by promtool and by the names that
 * the exporters write.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, type MetricReader } from '@opentelemetry/sdk-metrics';
import { beforeEach, describe, expect, it } from 'vitest';
import { findPromtool } from '../../scripts/promtool.js';
import { createPrometheus } from '../../src/cli/serve/prometheus.js';
import { memoryStore, Rewt } from '../../src/index.js';
import { instrumentRewt } from '../../src/observe/otel.js';
import { project } from '../package/scratch.js';
import { faultyStore } from '../support/faulty-store.js';
import { textOf } from './example.js';

const run = promisify(execFile);
const folder = join(project, 'examples/observability');
const rules = textOf('observability/prometheus-rules.yml');

async function promtool(...args: string[]): Promise<string> {
  const { stdout } = await run(findPromtool() ?? 'promtool', args, { cwd: folder });
  return stdout;
}

describe('the alerts for Prometheus', () => {
  it('are what promtool accepts', async () => {
    expect(await promtool('check', 'rules', 'prometheus-rules.yml')).toContain('SUCCESS');
  });

  it('fire for the first event of each kind, and for nothing else', async () => {
    expect(await promtool('test', 'rules', 'prometheus-rules.test.yml')).toContain('SUCCESS');
  });

  it('are each fired once by their tests', () => {
    const tests = textOf('observability/prometheus-rules.test.yml');
    const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name ?? '');
    expect(alerts.filter((name) => !tests.includes(`{alertname="${name}"}`))).toEqual([]);
  });
});

describe('the names in alerts and dashboard', () => {
  const written: Record<string, string> = {};

  beforeEach(async () => {
    const reader = new PrometheusExporter({ preventServerStart: true });
    // The exporter brings another patch release of the SDK, whose types differ in a private field.
    const meterProvider = new MeterProvider({ readers: [reader as unknown as MetricReader] });
    const store = faultyStore(memoryStore());
    const rewt = new Rewt({ store });
    const end = instrumentRewt({ meterProvider, members: [rewt] });
    const prometheus = createPrometheus([rewt]);
    await rewt.verify(await rewt.sign({}));
    await rewt.revoke();
    store.reads = 'down';
    await rewt.refresh().catch(() => {});
    const { resourceMetrics } = await reader.collect();
    written['/metrics of rewt serve'] = prometheus.text();
    written["OpenTelemetry's exporter"] = new PrometheusSerializer().serialize(resourceMetrics);
    prometheus.end();
    end();
    await rewt.close();
  });

  it.each(['prometheus-rules.yml', 'grafana-dashboard.json'])('are in %s those that both exporters write', (file) => {
    const text = textOf(`observability/${file}`);
    const labels = /^rewt_(namespace|operation|fault|secret|own|cause|warning)$/;
    const asked = [...new Set(text.match(/\brewt_[a-z_]+(\(_seconds\)\?(_[a-z]+)?)?/g))].filter(
      (name) => !labels.test(name),
    );
    expect(asked.length).toBeGreaterThan(7);
    for (const [exporter, output] of Object.entries(written)) {
      const missing = asked.filter((name) => !new RegExp(`^${name}[{ ]`, 'm').test(output));
      // A warning has no series before the first one.
      expect(
        missing.filter((name) => name !== 'rewt_warnings_total'),
        exporter,
      ).toEqual([]);
    }
  });

  it('have a series of 0 for each kind of revocation before the first one', async () => {
    const rewt = new Rewt({ store: memoryStore(), redisNamespace: 'quiet' });
    const prometheus = createPrometheus([rewt]);
    await rewt.ready();
    const zeros = prometheus.text().match(/^rewt_revocations_total\{rewt_namespace="quiet".*\} 0$/gm) ?? [];
    expect(zeros.map((line) => /rewt_cause="(\w+)"/.exec(line)?.[1]).sort()).toEqual([
      'adopt',
      'bootstrap',
      'brake',
      'read',
      'revocation',
      'rollback',
    ]);
    prometheus.end();
    await rewt.close();
  });
});
