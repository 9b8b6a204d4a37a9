/** Both ends of a service of the demo: a process of its own, that lives no longer than its parent. */

import { type ChildProcess, fork } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import type { RotatedMessage } from '../../observe/channels.js';
import type { Notice, Order } from './messages.js';

/** How long a service may take to end by itself. */
const PATIENCE_MS = 1_000;

/** The parent's end. */
export interface Service {
  order(order: Order): void;
  /** The next notice of that type. @throws where the service ends before. */
  next<Type extends Notice['type']>(type: Type): Promise<Extract<Notice, { type: Type }>>;
  /** Rejects if the service ends before it is told to; otherwise pending. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

export function startService(name: 'server' | 'caller', onNotice: (notice: Notice) => void): Service {
  // Nothing of theirs is printed: what they have to say, they say in notices.
  const child = fork(fileURLToPath(new URL(`./${name}.cjs`, import.meta.url)), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let stopping = false;
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const failed = new Promise<never>((_, reject) => {
    const fail = () => {
      if (!stopping) reject(new Error(`the ${name} of the demo ended too early`));
    };
    child.once('error', fail).once('close', fail);
  });
  failed.catch(() => {});
  child.on('message', (notice: Notice) => onNotice(notice));
  return {
    failed,
    order: (order) => void child.send(order, () => {}),
    next: (type) => Promise.race([nextNotice(child, type), failed]),
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      await ended;
      clearTimeout(patience);
    },
  };
}

function nextNotice<Type extends Notice['type']>(child: ChildProcess, type: Type) {
  return new Promise<Extract<Notice, { type: Type }>>((resolve) => {
    const listen = (notice: Notice) => {
      if (notice.type !== type) return;
      child.off('message', listen);
      resolve(notice as Extract<Notice, { type: Type }>);
    };
    child.on('message', listen);
  });
}

/** The service's end: takes orders, and tells of the rotations that it wrote. */
export function serve(onOrder: (order: Order) => Promise<void>): void {
  process.on('message', (order: Order) => void onOrder(order).catch(() => process.exit(1)));
  // Ctrl-C reaches all processes of a terminal; the parent decides when its services end.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());
  onOwnRotation((kid) => tell({ type: 'rotated', kid }));
}

/** Of all members, one writes a rotation: counting each one's own counts every rotation once. */
export function onOwnRotation(listen: (kid: string) => void): void {
  subscribe('rewt:rotated', (message) => {
    const { kid, own } = message as RotatedMessage;
    if (own) listen(kid);
  });
}

export function tell(notice: Notice): void {
  // A parent that is gone is no fault: 'disconnect' ends this process.
  process.send?.(notice, undefined, undefined, () => {});
}
