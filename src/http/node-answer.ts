/** Answers with a refusal on what node:http gives, and on what is built on it. */

import type { Refusal } from './challenge.js';

/** What we need of a response of node:http. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

export function answerOnNode(response: NodeResponse, { status, headers, body }: Refusal): void {
  // Somebody else has lost patience meanwhile.
  if (response.headersSent) return;
  response.statusCode = status;
  for (const name of Object.keys(headers)) response.setHeader(name, headers[name] as string);
  response.end(body);
}
