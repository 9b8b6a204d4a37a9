/** The slot of a key in Redis Cluster: what a cluster client goes by, and some do not tell. Pure. */

import { hashTag } from './names.js';

const SLOTS = 16_384;

/** The CRC16 (XMODEM) of the key, bit by bit: few keys are asked for, and to fill a table would make every start 4 ms longer. */
export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(hashTag(key) ?? key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % SLOTS;
}
