-- What one subject used: its minute, its turns under way, its days, weeks and months.
--
-- KEYS: 1 the window, 2 the turns under way, 3 and on each period; 2 and on only where they count.
-- window: s first second that counts; R, T requests and tokens since; r<second>, t<second> of each;
--   L last second with tokens; E, C tokens and cost that the turns under way are expected to come to.
-- turns under way: a lease `<node>:<epoch>:<n>:<tokens>:<cost>` with the millisecond until which it
--   holds; or a name that was counted, with the negative millisecond until which that is remembered.
-- a period, whose key ends as d20261129, w20261123 or m202611: t tokens, c cost; k is there once the
--   database's sums were taken over.

local SPAN, KEEPS = 60, 125
local LASTS = {d = 172800, w = 777600, m = 3456000}

local time = redis.call('TIME')
local second = tonumber(time[1])
local now = second * 1000 + math.floor(tonumber(time[2]) / 1000)

local function number(value) return tonumber(value or 0) end

-- What a lease is expected to come to.
local function expected(lease)
  local tokens, cost = string.match(lease, ':(%d+):(%d+)$')
  return number(tokens), number(cost)
end

local function reserve(tokens, cost)
  if tokens ~= 0 then redis.call('HINCRBY', KEYS[1], 'E', tokens) end
  if cost ~= 0 then redis.call('HINCRBY', KEYS[1], 'C', cost) end
end

-- Take off what is older than a minute. Where the server's clock was put back, begin anew.
local function sweep()
  local first, begins = second - SPAN, number(redis.call('HGET', KEYS[1], 's'))
  if begins == first then return end
  if begins > second then
    redis.call('DEL', KEYS[1], KEYS[2] or KEYS[1])
  elseif begins > first then
    second = begins + SPAN
    return
  elseif begins > 0 then
    local fields = {}
    for each = begins, math.min(first - 1, begins + SPAN) do
      fields[#fields + 1] = 'r' .. each
      fields[#fields + 1] = 't' .. each
    end
    local old, requests, tokens = redis.call('HMGET', KEYS[1], unpack(fields)), 0, 0
    for at = 1, #old, 2 do
      requests = requests + number(old[at])
      tokens = tokens + number(old[at + 1])
    end
    if requests > 0 then redis.call('HINCRBY', KEYS[1], 'R', -requests) end
    if tokens > 0 then redis.call('HINCRBY', KEYS[1], 'T', -tokens) end
    redis.call('HDEL', KEYS[1], unpack(fields))
  end
  redis.call('HSET', KEYS[1], 's', first)
end

-- Count what was used at a second of this minute.
local function add(at, requests, tokens)
  if requests > 0 then
    redis.call('HINCRBY', KEYS[1], 'R', requests)
    redis.call('HINCRBY', KEYS[1], 'r' .. at, requests)
  end
  if tokens > 0 then
    redis.call('HINCRBY', KEYS[1], 'T', tokens)
    redis.call('HINCRBY', KEYS[1], 't' .. at, tokens)
    if at > number(redis.call('HGET', KEYS[1], 'L')) then redis.call('HSET', KEYS[1], 'L', at) end
  end
end

-- Take off the leases that ran out, with what they were expected to cost, and forget old names.
local function expire()
  local over = redis.call('ZRANGEBYSCORE', KEYS[2], -now, now, 'WITHSCORES')
  if #over == 0 then return end
  for at = 1, #over, 2 do
    if number(over[at + 1]) > 0 then
      local tokens, cost = expected(over[at])
      reserve(-tokens, -cost)
    end
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], -now, now)
end

local function keep()
  redis.call('EXPIRE', KEYS[1], KEEPS)
  if KEYS[2] then redis.call('EXPIRE', KEYS[2], KEEPS) end
end
