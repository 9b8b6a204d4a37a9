/**
 * The Redis store of the version before names under a key prefix: its names and its scripts, kept
 * as they were.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { RedisPort, Reply } from '../../src/stores/redis/clients/port.js';
import { LAST_INSTANT_MS, type Snapshot, type Store } from '../../src/stores/store.js';

const snapshot = `
local function snapshot(outcome)
  local key, ring = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
  local before, ttl, after
  for _ = 1, 5 do
    before, ttl, after = redis.call('TIME'), redis.call('PTTL', KEYS[1]), redis.call('TIME')
    if (after[1] - before[1]) * 1000000 + after[2] - before[2] < 1000 then break end
  end
  return {
    outcome, string.format('%.0f', before[1] * 1000 + math.floor(before[2] / 1000)),
    key or '', string.format('%.0f', ttl), key and redis.sha1hex(key) or '',
    ring or '', ring and redis.sha1hex(ring) or ''
  }
end
`;

const READ = `${snapshot}
local role = redis.pcall('PEXPIREAT', ARGV[1], 1)
if type(role) == 'table' and
  (string.find(role.err, '^%-?READONLY') or string.find(role.err, ': -READONLY', 1, true)) then return role end
return snapshot('read')
`;

const SWAP = `${snapshot}
local before = snapshot('')
local draft = redis.call('GET', KEYS[3])
local expected, size, start
if draft then expected, size, start = string.match(draft, '^([^\\n]*)\\n(%d*)\\n()') end
local outcome = 'write'
if before[7] == ARGV[1] then outcome = 'swapped'
elseif not draft or tonumber(before[2]) > tonumber(ARGV[2]) then outcome = 'late'
elseif before[5] .. ':' .. before[7] ~= expected then outcome = 'conflict' end
if draft then redis.call('PEXPIREAT', KEYS[3], 1) end
if outcome == 'write' then
  if size ~= '' then
    redis.call('SET', KEYS[1], string.sub(draft, start, start + size - 1))
    redis.call('PEXPIREAT', KEYS[1], ARGV[3])
    start = start + size
  end
  redis.call('SET', KEYS[2], string.sub(draft, start))
  redis.call('PEXPIREAT', KEYS[2], ARGV[4])
  outcome = 'swapped'
end
return snapshot(outcome)
`;

/** For namespaces without hash tags. */
export function lastVersionStore(port: RedisPort): Store {
  const namesOf = (namespace: string) => {
    const key = `${port.keyPrefix}${namespace}:rewt-secret`;
    return { key, ring: `{${key}}:ring`, draft: `rewt-draft:{${key}}:${randomBytes(12).toString('base64url')}` };
  };
  const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');
  const ms = (value: number) => Math.floor(value).toFixed(0);
  const answerOf = (outcomes: readonly (Reply | Error)[]): { outcome: string; snapshot: Snapshot } => {
    for (const outcome of outcomes) if (outcome instanceof Error) throw outcome;
    const reply = outcomes.at(-1);
    const [outcome, now, key, ttl, keyDigest, ring, ringDigest] = (reply as readonly Reply[]).map(String) as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const nowMs = Number(now);
    const expiresAtMs = Number(ttl) < 0 ? null : Math.min(nowMs + Number(ttl), LAST_INSTANT_MS);
    return {
      outcome,
      snapshot: {
        nowMs,
        key: keyDigest === '' ? null : { value: key, expiresAtMs },
        ring: ringDigest === '' ? null : ring,
        version: `${keyDigest}:${ringDigest}`,
      },
    };
  };
  return {
    kind: 'redis',
    local: false,
    async read(namespace) {
      const { key, ring, draft } = namesOf(namespace);
      return answerOf(await port.send([['EVAL', READ, '2', key, ring, draft]], key)).snapshot;
    },
    async swap(namespace, expected, wanted, { timeoutMs, notAfterMs }) {
      const { key, ring, draft } = namesOf(namespace);
      const value = wanted.key?.value ?? null;
      const size = value === null ? '' : Buffer.byteLength(value);
      const text = `${expected}\n${size}\n${value ?? ''}${wanted.ring.text}`;
      const times = [notAfterMs, wanted.key?.expiresAtMs ?? 0, wanted.ring.expiresAtMs].map(ms);
      const { outcome, snapshot } = answerOf(
        await port.send(
          [
            ['SET', draft, text, 'PX', ms(timeoutMs + 5_000)],
            ['EVAL', SWAP, '3', key, ring, draft, sha1(wanted.ring.text), ...times],
          ],
          key,
        ),
      );
      return { swapped: outcome === 'swapped', snapshot };
    },
    close: () => port.close(),
  };
}
