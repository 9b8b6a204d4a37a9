/** Answers with a refusal where an answer is the web's Response. */

import type { Refusal } from './challenge.js';

/** The web's Response, as far as the types of the program that asks know it. */
export type WebResponse = typeof globalThis extends { Response: { prototype: infer Known } } ? Known : object;

export function webAnswer({ status, headers, body }: Refusal): Response {
  return new Response(body, { status, headers });
}
