/**
 * The two Lua scripts that make Redis a compare-and-swap register with a clock.
 *
 * They are sent with plain EVAL: no flags, no EVAL_RO, no SET PXAT. Redis 6.0 to 8 and Valkey all
 * accept them, and no node has to cache them.
 */

// WHY only strings: a nil ends a Lua list, and clients convert numbers differently. A missing entry
// has an empty digest.
// WHY digests: clients decode replies as UTF-8 and lose other bytes; the digest of the original
// bytes reveals it.
// WHY %.0f: Lua prints a large number as 1.7e+12.
// WHY again: TIME and PTTL each read a clock that moves while a script runs on Redis 6 and 7.0. A
// delay between them would look as if an operator had used EXPIRE.
// WHY not among the keys: a user may have no right to the other name, and a migrating slot rejects
// missing keys. The error 'non local key' means that the other name is absent here.
/** Needs `otherName`: the other possible name of the ring; '' if there is none. */
// WHY pcall and not TYPE: it needs no further right.
// WHY '!': it is the digest of no string, and a swap that expects it may replace a value that is no
// string.
const snapshot = `
local function get(name, replaces)
  local found = replaces and redis.pcall('GET', name)
  if type(found) == 'table' and string.find(found.err, 'WRONGTYPE', 1, true) then return '', '!' end
  found = redis.call('GET', name)
  return found or '', found and redis.sha1hex(found) or ''
end
local function beside(replaces)
  local found = otherName ~= '' and redis.pcall('GET', otherName)
  if type(found) ~= 'table' then return found or '', found and redis.sha1hex(found) or '' end
  local err = found.err
  if replaces and string.find(err, 'WRONGTYPE', 1, true) then return '', '!' end
  if string.find(err, 'NOPERM') or string.find(err, 'ACL failure') or string.find(err, 'executing the script') then
    return '', 'denied'
  end
  if string.find(err, 'non local key') then return '', '' end
  return nil, '', found
end
local function snapshot(outcome, deposed, replaces)
  local key, keyDigest = get(KEYS[1], replaces)
  local ring, ringDigest = get(KEYS[2], replaces)
  local other, otherDigest, failed = beside(replaces)
  if failed then return failed end
  local before, ttl, after
  for _ = 1, 5 do
    before, ttl, after = redis.call('TIME'), redis.call('PTTL', KEYS[1]), redis.call('TIME')
    if (after[1] - before[1]) * 1000000 + after[2] - before[2] < 1000 then break end
  end
  return {
    outcome, string.format('%.0f', before[1] * 1000 + math.floor(before[2] / 1000)),
    key, string.format('%.0f', ttl), keyDigest, ring, ringDigest, deposed and 'deposed' or '', other, otherDigest
  }
end
`;

/**
 * Defines `replication()`. It returns the role of this server, nil if it is not shown, and if the
 * server requires replicas but has none in step.
 */
const replication = `
local function replication()
  local info = redis.pcall('INFO', 'replication')
  if type(info) ~= 'string' then return nil, false end
  return string.match(info, '\\nrole:(%a+)'), string.find(info, '\\nmin_slaves_good_slaves:0\\r', 1, true) ~= nil
end
local function isReplica(role) return role ~= nil and role ~= 'master' end
local function replica() return redis.error_reply('READONLY This is a replica.') end
`;

/** Begins a script that only a master may run, as far as the server shows its role to this user. */
export const ON_MASTER = `${replication}
if isReplica(replication()) then return replica() end
`;

// WHY a write as well: INFO may be denied, and only NOREPLICAS shows a master that lacks one of two
// replicas. The expiry of a draft changes nothing that counts, and replicates nothing for a missing
// key.
// WHY DENIED counts against a server: if neither INFO nor the write is allowed, a replica looks
// like a master.
// WHY two forms of the code: Redis 6 puts the script's name first. Not anywhere: the text may also
// contain a user's name.
/**
 * Defines `witness(draft)`, which removes the draft if there is one. It returns the error of a
 * server that must not be read, or nil. Its second result is whether another master may have
 * replaced this one. Its third is the error that a write would get here, or nil.
 */
const witness = `${replication}
local function witness(draft)
  local role, lacksReplicas = replication()
  local tried = redis.pcall('PEXPIREAT', draft, 1)
  local refusal = type(tried) == 'table' and tried or nil
  local code = refusal and
    (string.match(refusal.err, '^@[%w_]+: %d+: %-(%u+)') or string.match(refusal.err, '^%-?(%u+)'))
  if isReplica(role) then return replica() end
  if code == 'READONLY' then return refusal end
  local saysWhy = code == 'NOREPLICAS' or code == 'MISCONF' or code == 'OOM'
  if refusal and not role and not saysWhy then return refusal end
  return nil, lacksReplicas or code == 'NOREPLICAS', refusal
end
`;

/**
 * Reads both entries of a namespace at one instant, on the master only. With a key prefix, the ring
 * may have one of two names: KEYS has the one, ARGV the other.
 *
 * KEYS: K, R. ARGV: the name of a missing draft; among the keys, it would make a migrating slot
 * reject them all. The ring's other name, or ''. 'replaces' to read what is no string as '' with
 * the digest '!'. Returns: 'read', now (ms), K, PTTL of K (ms; -1 none, -2 no K), sha1 of K ('' no
 * K), R, sha1 of R ('' no R), 'deposed' or '', the ring under the other name, its sha1 ('' no such
 * ring, '!' no string, 'denied' if the user may not read it).
 */
export const READ = `local otherName = ARGV[2]
${snapshot}${witness}
local refused, deposed = witness(ARGV[1])
if refused then return refused end
return snapshot('read', deposed, ARGV[3] == 'replaces')
`;

// The comments stand here, because a client sends the script with each swap.
// WHY a snapshot first: a wrong type that must not be replaced, or an unreadable entry, fails
// before anything is written.
// WHY 'swapped' before 'late': a swap that a client sent twice finds its draft gone, its time over
// and its version stale, but it was done.
// WHY the witness next: it removes the draft. Before K is touched, it shows that this is a master,
// that it accepts writes, and that this user may PEXPIREAT.
// WHY K before R: the second write may not happen. A new K beside the old ring is an operator's; a
// new ring beside a revoked K would restore that K.
/**
 * Writes K and R if both are unchanged.
 *
 * KEYS: K, R, draft. The draft, written just before with SET ... PX, holds what no tracing may
 * print (see draftOf). ARGV: sha1 of the wanted R, not after (ms), expiry of K (ms; unused if the
 * draft has no K), expiry of R (ms), the ring's other name or '': its ring is removed. Returns:
 * 'swapped' | 'late' | 'conflict', then the state afterwards, as READ does.
 */
export const SWAP = `local otherName = ARGV[5]
${snapshot}${witness}
local draft = redis.call('GET', KEYS[3])
local expected, size, start
if draft then expected, size, start = string.match(draft, '^([^\\n]*)\\n(%d*)\\n()') end
local replaces = expected and string.find(expected, '!', 1, true)
local before = snapshot('', nil, replaces)
if before.err then return before end
local outcome = 'write'
if before[7] == ARGV[1] then outcome = 'swapped'
elseif not draft or tonumber(before[2]) > tonumber(ARGV[2]) then outcome = 'late'
elseif before[5] .. ':' .. before[7] .. ':' .. before[10] ~= expected then outcome = 'conflict' end
local refused, deposed, refusal = witness(KEYS[3])
if refused then return refused end
if outcome == 'write' and refusal then return refusal end
if outcome == 'write' then
  if size ~= '' then
    redis.call('SET', KEYS[1], string.sub(draft, start, start + size - 1))
    redis.call('PEXPIREAT', KEYS[1], ARGV[3])
    start = start + size
  end
  redis.call('SET', KEYS[2], string.sub(draft, start))
  redis.call('PEXPIREAT', KEYS[2], ARGV[4])
  if before[10] ~= '' and before[10] ~= 'denied' then redis.call('PEXPIREAT', otherName, 1) end
  outcome = 'swapped'
end
return snapshot(outcome, deposed, replaces)
`;

/**
 * Returns the text of a draft: the expected version, the size of K in bytes (empty: leave K alone),
 * then K and R as they are.
 *
 * Sizes rather than JSON: no escapes that Lua's decoder could read otherwise. Clients' tracing
 * prints the arguments of EVAL but not the value of SET.
 */
export function draftOf(expected: string, key: string | null, ring: string): string {
  return `${expected}\n${key === null ? '' : Buffer.byteLength(key)}\n${key ?? ''}${ring}`;
}
