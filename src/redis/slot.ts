/** The slot of a key in Redis Cluster: what a cluster client goes by, and some do not tell. Pure. */

import { hashTag } from './names.js';

const SLOTS = 16_384;

/** The CRC16 (XMODEM) of each byte. */
const table = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(hashTag(key) ?? key)) {
    crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ byte] ?? 0);
  }
  return crc % SLOTS;
}
