-- Counts what a turn used, once by the name it is counted under; a lease of that name ends with it.
--
-- ARGV: 1 the name, 2 the second at which it was used, by the node; 3 requests, 4 tokens, 5 cost;
-- the last two may be less than none, which the minute does not take off.
-- What comes late counts in the minute at its second, and in no other period: the database has it by
-- then, and its sum is taken over.

local function count()
  sweep()
  expire()
  local name, at = ARGV[1], tonumber(ARGV[2])
  local is_late = second - at >= 2
  if not is_late then at = second end
  local requests, tokens, cost = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
  local holds = tonumber(redis.call('ZSCORE', KEYS[2], name) or nil)
  if holds and holds < 0 then return 0 end
  if holds then
    local expected_tokens, expected_cost = expected(name)
    reserve(-expected_tokens, -expected_cost)
  end
  if requests == 0 and tokens == 0 and cost == 0 then
    redis.call('ZREM', KEYS[2], name)
  else
    redis.call('ZADD', KEYS[2], -(now + KEEPS * 1000), name)
  end
  if at >= second - SPAN then add(at, requests, tokens) end
  if KEYS[3] and not is_late then
    for key = 3, #KEYS do
      redis.call('HINCRBY', KEYS[key], 't', tokens)
      redis.call('HINCRBY', KEYS[key], 'c', cost)
      redis.call('EXPIRE', KEYS[key], LASTS[string.match(KEYS[key], ':(%a)%d+$')])
    end
  end
  keep()
  return 1
end
