-- Takes over what the database knows of a day and a month, where that is more than what is known.
--
-- KEYS: 1 the day, 2 the month. ARGV: 1, 2 tokens and cost of the day; 3, 4 of the month.

for key = 1, 2 do
  local known = redis.call('HMGET', KEYS[key], 't', 'c')
  for at, field in ipairs({'t', 'c'}) do
    local sum = ARGV[2 * (key - 1) + at]
    if not known[at] or tonumber(sum) > tonumber(known[at]) then
      redis.call('HSET', KEYS[key], field, sum)
    end
  end
  redis.call('HSET', KEYS[key], 'k', 1)
  redis.call('EXPIRE', KEYS[key], key == 1 and 172800 or 3456000)
end
