/** What goes wrong between a member and the server. */

/** What goes wrong on the way, each as a probability per call. */
export interface Weather {
  readonly requestLost: number;
  readonly replyLost: number;
  /** Executed after its caller gave up. */
  readonly late: number;
  readonly twice: number;
  /** K is written and R is not. */
  readonly half: number;
  readonly pushLost: number;
  readonly pushTwice: number;
  /** One way. Milliseconds. */
  readonly latencyMs: readonly [number, number];
  readonly pushMs: readonly [number, number];
}

export const FAIR: Weather = {
  requestLost: 0,
  replyLost: 0,
  late: 0,
  twice: 0,
  half: 0,
  pushLost: 0,
  pushTwice: 0,
  latencyMs: [0.1, 1],
  pushMs: [0.2, 3],
};
