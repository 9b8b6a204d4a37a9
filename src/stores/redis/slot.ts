/**
 * The slot of a key in Redis Cluster: cluster clients route by it, and some do not expose it. Pure.
 */

import { hashTag } from './names.js';

const SLOTS = 16_384;

/**
 * Returns the CRC16 (XMODEM) of the key, bit by bit. Few keys are hashed, and filling a table would
 * delay every start.
 */
export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(hashTag(key) ?? key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % SLOTS;
}
