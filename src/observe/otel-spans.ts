/** Spans of what rewt does, made when it is over: that of an operation in its caller's context, that of a refresh, which many share, in none. */

import { type Attributes, SpanStatusCode, type TracerProvider } from '@opentelemetry/api';
import { subscribe } from './channels.js';
import { errorType } from './metrics.js';

/** @param all also of each sign and verify. */
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
      // A bad token that was refused is a verification that went well.
      span(`rewt.${operation}`, durationMs, fault !== null && fault !== 'token', attributes);
    }),
  ];
  return () => {
    for (const end of subscriptions) end();
  };
}
