/**
 * OpenTelemetry spans, made when the work has ended. The span of an operation is in its caller's
 * context. The span of a refresh, which many callers share, is in none.
 */

import { type Attributes, SpanStatusCode, type TracerProvider } from '@opentelemetry/api';
import { subscribe } from './channels.js';
import { errorType } from './metrics.js';

/**
 * Makes spans until the returned function is called.
 * @param all also for each sign and verify.
 */
export function traceWith(provider: TracerProvider, all: boolean): () => void {
  const tracer = provider.getTracer('rewt');

  function span(name: string, durationMs: number, failed: boolean, attributes: Attributes): void {
    const endMs = Date.now();
    const made = tracer.startSpan(name, { startTime: endMs - durationMs, attributes });
    if (failed) made.setStatus({ code: SpanStatusCode.ERROR });
    made.end(endMs);
  }

  const subscriptions = [
    subscribe('refresh', ({ namespace, outcome, durationMs }) => {
      span('rewt.refresh', durationMs, outcome !== 'ok', { 'rewt.namespace': namespace, ...errorType(outcome) });
    }),
    subscribe('operation', ({ namespace, operation, outcome, fault, durationMs, secret }) => {
      if (!all && (operation === 'sign' || operation === 'verify')) return;
      const attributes = {
        'rewt.namespace': namespace,
        ...errorType(outcome),
        ...(secret === null ? {} : { 'rewt.secret': secret }),
      };
      // A rejected token is a successful verification.
      span(`rewt.${operation}`, durationMs, fault !== null && fault !== 'token', attributes);
    }),
  ];
  return () => {
    for (const end of subscriptions) end();
  };
}
