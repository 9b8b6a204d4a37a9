/**
 * The two Lua scripts that make Redis a compare-and-swap register with a clock.
 *
 * Sent with plain EVAL: no flags, no EVAL_RO, no SET PXAT, so that Redis 6.0 to 8 and Valkey all take them, and nothing is cached per node.
 */

// WHY only strings: a nil ends a Lua list, and clients turn numbers into what they like. An entry that is not there has an empty digest.
// WHY digests: clients decode replies as UTF-8 and lose what is not; with the digest of the true bytes we notice.
// WHY %.0f: Lua prints a large number as 1.7e+12.
// WHY again: TIME and PTTL each look at a clock that moves while a script runs on Redis 6 and 7.0. A server that was held up between them (13 ms were
// seen) would make it look as if an operator had used EXPIRE.
// WHY not among the keys: a user may have no right to the other name, and a slot that is being moved refuses keys that are not there.
// With 'non local key' it says that this one is not here.
/** Needs `otherName`: where the ring may be as well; '' if there is no such name. */
// WHY pcall and not TYPE: it needs no right more. WHY '!': no digest of a string is that, and a swap that expects it may replace what is none.
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
  if string.find(err, 'NOPERM') or string.find(err, 'ACL failure') or string.find(err, 'executing the script') then return '', 'denied' end
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

/** Defines `replication()`: the role of this server, nil if it is not shown; whether it needs replicas and has none in step. */
const replication = `
local function replication()
  local info = redis.pcall('INFO', 'replication')
  if type(info) ~= 'string' then return nil, false end
  return string.match(info, '\\nrole:(%a+)'), string.find(info, '\\nmin_slaves_good_slaves:0\\r', 1, true) ~= nil
end
local function isReplica(role) return role ~= nil and role ~= 'master' end
local function replica() return redis.error_reply('READONLY This is a replica.') end
`;

/** Begins a script that only a master may answer, as far as the server shows its role to this user. */
export const ON_MASTER = `${replication}
if isReplica(replication()) then return replica() end
`;

// WHY a write as well: INFO may be denied, and only NOREPLICAS tells of a master that lacks one of two replicas. The expiry
// of a draft changes nothing that counts, and replicates nothing for a key that is not there.
// WHY DENIED counts against a server: where neither INFO nor the write is allowed, a replica looks like a master.
// WHY two forms of the code: Redis 6 names the script first. Not anywhere: the name of a user may be in the text as well.
/**
 * Defines `witness(draft)`, which removes the draft if there is one. It returns the error of a server that must not be read, or nil;
 * whether another master may have replaced this one; the error that a write would get here, or nil.
 */
const witness = `${replication}
local function witness(draft)
  local role, lacksReplicas = replication()
  local tried = redis.pcall('PEXPIREAT', draft, 1)
  local refusal = type(tried) == 'table' and tried or nil
  local code = refusal and (string.match(refusal.err, '^@[%w_]+: %d+: %-(%u+)') or string.match(refusal.err, '^%-?(%u+)'))
  if isReplica(role) then return replica() end
  if code == 'READONLY' then return refusal end
  local saysWhy = code == 'NOREPLICAS' or code == 'MISCONF' or code == 'OOM'
  if refusal and not role and not saysWhy then return refusal end
  return nil, lacksReplicas or code == 'NOREPLICAS', refusal
end
`;

/**
 * Both entries of a namespace at one instant, on the master only. Under a key prefix the ring may have one of two names: KEYS has the one, ARGV the other.
 *
 * KEYS: K, R. ARGV: the name of a draft that is not there; among the keys it would make a slot that is being moved refuse them all. The ring's other name, or ''.
 * 'replaces' to read what is no string as '' with the digest '!'.
 * Returns: 'read', now (ms), K, PTTL of K (ms; -1 none, -2 no K), sha1 of K ('' no K), R, sha1 of R ('' no R), 'deposed' or '',
 * the ring under the other name, its sha1 ('' no such ring, '!' no string, 'denied' if the user may not read it).
 */
export const READ = `local otherName = ARGV[2]
${snapshot}${witness}
local refused, deposed = witness(ARGV[1])
if refused then return refused end
return snapshot('read', deposed, ARGV[3] == 'replaces')
`;

// The comments stand here, because a client sends the script with each swap.
// WHY a snapshot first: what is of the wrong type and not to be replaced, or may not be read, fails before
// anything is written.
// WHY 'swapped' before 'late': a swap that a client sent twice finds its draft gone, its time over and its
// version stale; it still was done.
// WHY the witness next: it takes the draft away, and shows before K is touched that this is a master, that it
// takes writes, and that this user may PEXPIREAT.
// WHY K before R: should the second write not happen, a new K beside the old ring is an operator's; a new ring
// beside a revoked K would bring that back.
/**
 * Writes K and R if both are still what they were.
 *
 * KEYS: K, R, draft. The draft, written just before with SET ... PX, holds what no tracing may print (see draftOf).
 * ARGV: sha1 of the wanted R, not after (ms), expiry of K (ms; not used where the draft has no K), expiry of R (ms), the ring's other name or '': what is there goes.
 * Returns: 'swapped' | 'late' | 'conflict', then what is there afterwards, as READ does.
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
 * The text of a draft: the expected version, the size of K in bytes (empty: leave K alone), then K and R as they are.
 *
 * Sizes rather than JSON: no escapes that Lua's decoder could read otherwise. Clients' tracing prints the arguments of EVAL but not the value of SET.
 */
export function draftOf(expected: string, key: string | null, ring: string): string {
  return `${expected}\n${key === null ? '' : Buffer.byteLength(key)}\n${key ?? ''}${ring}`;
}
