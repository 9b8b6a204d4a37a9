/** Answers with a refusal where an answer is the web's Response. */

import type { Refusal } from './challenge.js';

export function webAnswer({ status, headers, body }: Refusal): Response {
  return new Response(body, { status, headers });
}
