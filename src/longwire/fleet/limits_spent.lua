-- Takes over what the database knows of each period, where that is more than what is known.
--
-- KEYS: the periods. ARGV: tokens and cost of each, then 1 where it is taken over though it is less.

local replaces = ARGV[2 * #KEYS + 1] == '1'
local LASTS = {d = 172800, w = 777600, m = 3456000}

for key = 1, #KEYS do
  local known = redis.call('HMGET', KEYS[key], 't', 'c')
  for at, field in ipairs({'t', 'c'}) do
    local sum = ARGV[2 * (key - 1) + at]
    if replaces or not known[at] or tonumber(sum) > tonumber(known[at]) then
      redis.call('HSET', KEYS[key], field, sum)
    end
  end
  redis.call('HSET', KEYS[key], 'k', 1)
  redis.call('EXPIRE', KEYS[key], LASTS[string.match(KEYS[key], ':(%a)%d+$')])
end
