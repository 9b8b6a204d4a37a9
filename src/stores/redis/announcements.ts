/**
 * The announcements of members, in one sorted set for each namespace, with the server's clock and a
 * TTL. Pure.
 */

import {
  ANNOUNCEMENT_LIFE_MS,
  type Announcement,
  type Announcements,
  MAX_ANNOUNCEMENT_CHARACTERS,
  MAX_ANNOUNCEMENTS,
} from '../store.js';
import type { Reply } from './clients/port.js';
import { ON_MASTER } from './scripts.js';

// WHY %.0f: Lua prints a large number as 1.7e+12.
const clock = `${ON_MASTER}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function ms(value) return string.format('%.0f', value) end
`;

/**
 * Replaces the announcement of one member, and removes those that have ended: no other script does.
 *
 * KEYS: the fleet. ARGV: its previous entry ('' none), its entry ('' none: it leaves), how long
 * that is kept (ms). Returns: 'announced'.
 */
export const ANNOUNCE = `${clock}
if ARGV[1] ~= '' then redis.call('ZREM', KEYS[1], ARGV[1]) end
local old = '(' .. ms(now - ${ANNOUNCEMENT_LIFE_MS})
local found = redis.call('ZREVRANGEBYSCORE', KEYS[1], old, '-inf', 'WITHSCORES', 'LIMIT', 0, ${MAX_ANNOUNCEMENTS})
for index = 1, #found, 2 do
  local keep = tonumber(string.match(found[index], '^%S+ (%d+)')) or 0
  if now - (tonumber(found[index + 1]) or 0) > keep then redis.call('ZREM', KEYS[1], found[index]) end
end
if ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[1], ms(now), ARGV[2])
  if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIREAT', KEYS[1], ms(now + ARGV[3])) end
end
return 'announced'
`;

/** Copies all announcements. KEYS: the fleet, the same under its other name. Returns: 'copied'. */
export const COPY_FLEET = `${clock}
local found = redis.call('ZREVRANGEBYSCORE', KEYS[1], '(inf', '-inf', 'WITHSCORES', 'LIMIT', 0, ${MAX_ANNOUNCEMENTS})
for index = 1, #found, 2 do redis.call('ZADD', KEYS[2], found[index + 1], found[index]) end
local life = math.max(redis.call('PTTL', KEYS[1]), redis.call('PTTL', KEYS[2]), ${ANNOUNCEMENT_LIFE_MS})
if #found > 0 then redis.call('PEXPIREAT', KEYS[2], ms(now + life)) end
return 'copied'
`;

/**
 * Returns the current announcements, the newest first. Includes those from the future, because the
 * clock may have been set back, or another master's was ahead. Their number is bounded here: any
 * user who can write to this key can fill it, and old entries must not hide new ones.
 *
 * KEYS: the fleet. Returns: 'announcements', now (ms), how many there are, then for each the
 * instant (ms) and its entry.
 */
export const ANNOUNCEMENTS = `${clock}
local found = redis.call('ZREVRANGEBYSCORE', KEYS[1], '(inf', '-inf', 'WITHSCORES', 'LIMIT', 0, ${MAX_ANNOUNCEMENTS})
local answer = { 'announcements', ms(now), ms(redis.call('ZCOUNT', KEYS[1], '-inf', '(inf')) }
for index = 1, #found, 2 do
  answer[#answer + 1] = ms(tonumber(found[index + 1]))
  answer[#answer + 1] = string.sub(found[index], 1, ${2 * MAX_ANNOUNCEMENT_CHARACTERS})
end
return answer
`;

/** Returns the member of the sorted set: an id contains no space and no line end. */
export function entryOf(id: string, text: string, keepMs: number): string {
  return `${id}${keepMs > ANNOUNCEMENT_LIFE_MS ? ` ${Math.floor(keepMs)}` : ''}\n${text}`;
}

/** Reads the reply of the script. Returns null for any other reply. */
export function asAnnouncements(reply: Reply): Announcements | null {
  if (!Array.isArray(reply) || reply[0] !== 'announcements') return null;
  const [, now, count, ...entries] = reply.map(String);
  const nowMs = Number(now);
  const kept: Announcement[] = [];
  for (let index = 0; index + 1 < entries.length; index += 2) {
    const [head = '', ...text] = (entries[index + 1] ?? '').split('\n');
    const [, id = head, keepMs = ANNOUNCEMENT_LIFE_MS] = /^(\S+) (\d+)$/.exec(head) ?? [];
    const atMs = Number(entries[index]);
    // Written this way around, because it must also reject an infinite score.
    if (!(nowMs - atMs <= Number(keepMs))) continue;
    kept.push({ id, text: text.join('\n').slice(0, MAX_ANNOUNCEMENT_CHARACTERS), atMs });
  }
  const unread = Number(count) - Math.floor(entries.length / 2);
  // The contract requires the oldest first.
  return { nowMs, count: kept.length + unread, kept: kept.reverse() };
}
