/** `rewt/otel` on OpenTelemetry's real SDK, and the dashboard and alerts that are made of it. */
import { readFile } from 'node:fs/promises';
import { context, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt } from '../../src/index.js';
import { counters, gauges, histograms } from '../../src/observe/metrics.js';
import { type InstrumentOptions, instrumentRewt } from '../../src/observe/otel.js';
import { type FaultyStore, faultyStore } from '../support/faulty-store.js';
import { pass, times, turnTime } from '../support/turned-time.js';

let reader: PeriodicExportingMetricReader;
let spans: InMemorySpanExporter;
let end: () => void = () => {};
let store: FaultyStore;
let rewt: Rewt;

beforeEach(() => {
  turnTime();
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 86_400_000,
    exportTimeoutMillis: 1_000,
  });
  spans = new InMemorySpanExporter();
  store = faultyStore(memoryStore());
  rewt = new Rewt({ ...times, store });
});
afterEach(async () => {
  end();
  await rewt.close();
  vi.useRealTimers();
});

function instrument(options: InstrumentOptions = {}): void {
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  end = instrumentRewt({ meterProvider: new MeterProvider({ readers: [reader] }), tracerProvider, ...options });
}

async function collected() {
  const { resourceMetrics } = await reader.collect();
  return resourceMetrics;
}

/** The points of a metric, with the value or the number of what was recorded. */
async function pointsOf(name: string): Promise<unknown[]> {
  const { scopeMetrics } = await collected();
  const metric = scopeMetrics.flatMap(({ metrics }) => metrics).find(({ descriptor }) => descriptor.name === name);
  const points = (metric?.dataPoints ?? []) as DataPoint<number | Histogram>[];
  const counts = points.map(({ value, attributes }) => [typeof value === 'number' ? value : value.count, attributes]);
  // A counter starts at 0 for each set of labels.
  return name in counters ? counts.filter(([count]) => count !== 0) : counts;
}

/** As an operator does who sets the key. */
async function putByHand(secret: string): Promise<void> {
  const { version, ring, nowMs } = await store.read('rewt', { timeoutMs: 100 });
  const expiresAtMs = nowMs + 60_000;
  const text = JSON.stringify({ ...JSON.parse(ring ?? '{}'), op: 'by hand' });
  const wanted = { key: { value: secret, expiresAtMs }, ring: { text, expiresAtMs } };
  const { swapped } = await store.swap('rewt', version, wanted, { timeoutMs: 100, notAfterMs: nowMs + 100 });
  expect(swapped).toBe(true);
}

/** Everything that there is to measure happens. */
async function live(): Promise<void> {
  const token = await rewt.sign({});
  await rewt.verify(token);
  await rewt.verify(`${token}x`).catch(() => {});
  await rewt.rotate({ force: true });
  await rewt.verify(token);
  await rewt.revoke();
  await putByHand('too short');
  await pass(3_000);
  await rewt.verify(token).catch(() => {});
  // It is refused at once; the read that it caused writes the fresh secret.
  await pass(10);
  store.reads = 'down';
  await pass(3_000);
  await rewt.sign({});
}

describe('metrics', () => {
  it('count operations by their outcome, and good tokens by their secret', async () => {
    instrument();
    await live();
    const of = { 'rewt.namespace': 'rewt' };
    expect(await pointsOf('rewt.operation.duration')).toEqual([
      [2, { ...of, 'rewt.operation': 'sign' }],
      [2, { ...of, 'rewt.operation': 'verify' }],
      [1, { ...of, 'rewt.operation': 'verify', 'error.type': 'ERR_REWT_MALFORMED', 'rewt.fault': 'token' }],
      [1, { ...of, 'rewt.operation': 'rotate' }],
      [1, { ...of, 'rewt.operation': 'revoke' }],
      [1, { ...of, 'rewt.operation': 'verify', 'error.type': 'ERR_REWT_UNKNOWN_KEY', 'rewt.fault': 'token' }],
    ]);
    expect(await pointsOf('rewt.verifications')).toEqual([
      [1, { ...of, 'rewt.secret': 'current' }],
      [1, { ...of, 'rewt.secret': 'retired' }],
    ]);
  });

  it('count rotations, revocations, outages and warnings by their cause', async () => {
    instrument();
    await live();
    const of = { 'rewt.namespace': 'rewt' };
    expect(await pointsOf('rewt.rotations')).toEqual([[1, { ...of, 'rewt.own': true }]]);
    expect(await pointsOf('rewt.revocations')).toEqual([
      [1, { ...of, 'rewt.own': true, 'rewt.cause': 'revocation' }],
      [1, { ...of, 'rewt.own': true, 'rewt.cause': 'brake' }],
    ]);
    expect(await pointsOf('rewt.outages')).toEqual([[1, of]]);
    expect(await pointsOf('rewt.warnings')).toEqual([[1, { ...of, 'rewt.warning': 'REWT_UNUSABLE_SECRET' }]]);
  });

  it('show the copy of each member when they are asked for', async () => {
    instrument({ members: [rewt] });
    expect(await pointsOf('rewt.keyring.usable')).toEqual([[0, { 'rewt.namespace': 'rewt' }]]);
    expect(await pointsOf('rewt.keyring.age')).toEqual([]);
    await rewt.ready();
    store.reads = 'down';
    await pass(1_500);
    const value = async (name: string) => ((await pointsOf(name)) as [number][])[0]?.[0];
    expect(await value('rewt.keyring.usable')).toBe(1);
    expect(await value('rewt.keyring.age')).toBe(1.5);
    expect(await value('rewt.keyring.epoch')).toBe(0);
    expect(await value('rewt.keyring.retired')).toBe(0);
    expect(await value('rewt.keyring.expiry')).toBe(1_800_000_000 + 3_600);
    expect(await value('rewt.push.on')).toBe(rewt.status().push.state === 'on' ? 1 : 0);
    await pass(60_000);
    expect(await value('rewt.keyring.usable')).toBe(0);
  });

  it('end when they are told to', async () => {
    instrument({ members: [rewt] });
    end();
    await live();
    expect(
      (await collected()).scopeMetrics.flatMap(({ metrics }) => metrics.map(({ dataPoints }) => dataPoints)).flat(),
    ).toEqual([]);
  });
});

describe('spans', () => {
  const named = () => spans.getFinishedSpans().map(({ name }) => name);

  it('are made of what waits for the store, with the time that it took and what went wrong', async () => {
    instrument();
    store.replyMs = 30;
    const ready = rewt.ready();
    await pass(60);
    await ready;
    store.reads = 'down';
    await pass(61_000);
    await rewt.sign({}).catch(() => {});
    expect(spans.getFinishedSpans()).toMatchObject([
      {
        name: 'rewt.refresh',
        duration: [0, 60_000_000],
        attributes: { 'rewt.namespace': 'rewt' },
        status: { code: 0 },
      },
      { name: 'rewt.refresh', attributes: { 'error.type': 'ERR_REWT_STORE_DOWN' }, status: { code: 2 } },
    ]);
  });

  it('are made of signing and verifying too if requested; a bad token is no fault of the service', async () => {
    instrument({ spans: 'all' });
    await live();
    expect(new Set(named())).toEqual(
      new Set(['rewt.sign', 'rewt.verify', 'rewt.refresh', 'rewt.rotate', 'rewt.revoke']),
    );
    const refused = spans
      .getFinishedSpans()
      .find(({ attributes }) => attributes['error.type'] === 'ERR_REWT_MALFORMED');
    expect(refused?.status.code).toBe(0);
  });

  it('are none where they are not wanted', async () => {
    instrument({ spans: 'none' });
    await live();
    expect(named()).toEqual([]);
  });
});

it('a meter and a tracer that fail end nothing', async () => {
  const failing = (): never => {
    throw new Error('out of order');
  };
  const instrument = { createHistogram: () => ({ record: failing }), createCounter: () => ({ add: failing }) };
  const gauge = { addCallback: () => {}, removeCallback: () => {} };
  const meterProvider = { getMeter: () => ({ ...instrument, createObservableGauge: () => gauge }) } as never;
  const tracerProvider = { getTracer: () => ({ startSpan: failing }) } as never;
  end = instrumentRewt({ meterProvider, tracerProvider, spans: 'all' });
  const uncaught = vi.fn();
  process.on('uncaughtException', uncaught);
  try {
    await live();
    await pass(1);
    expect(uncaught).not.toHaveBeenCalled();
  } finally {
    process.off('uncaughtException', uncaught);
  }
});

it('without options it goes to what is registered for the process, which may be nothing', async () => {
  end = instrumentRewt();
  await live();
  expect(trace.getSpan(context.active())).toBeUndefined();
});

it.each([
  [{ membres: [] }, /did you mean 'members'/],
  [{ members: {} }, /members: must be a list/],
  [{ members: [{}] }, /members: each must be what new Rewt\(\) gives/],
  [{ spans: true }, /spans: must be 'store', 'all' or 'none'/],
  [{ meterProvider: {} }, /meterProvider: must have getMeter/],
  [{ tracerProvider: null }, /tracerProvider: must have getTracer/],
])('instrumentRewt refuses the options %o', (options, message) => {
  expect(() => instrumentRewt(options as InstrumentOptions)).toThrow(message);
});

describe('what is made of them', () => {
  it('each instrument is exported under its name', async () => {
    instrument({ members: [rewt] });
    await live();
    const exported = (await collected()).scopeMetrics.flatMap(({ metrics }) => metrics);
    const declared = Object.entries({ ...counters, ...histograms, ...gauges });
    expect(exported.map(({ descriptor: { name, unit, description } }) => [name, unit, description]).sort()).toEqual(
      declared.map(([name, { unit, description }]) => [name, unit, description]).sort(),
    );
  });

  it('the dashboard is what Grafana takes, its panels beside and below each other', async () => {
    const file = new URL('../../examples/observability/grafana-dashboard.json', import.meta.url);
    const { panels } = JSON.parse(await readFile(file, 'utf8')) as {
      panels: { title: string; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x}:${y}`), title).toBe(false);
          expect(x, title).toBeLessThan(24);
          taken.add(`${x}:${y}`);
        }
      }
    }
  });
});
