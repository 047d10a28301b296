-- Counts an attempt at one place, unless there were too many in the window. Returns how many ms to wait, 0 where it
-- counts. KEYS: the place. ARGV: the attempt's id, how many may fail, the window in ms.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local most, window = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
if redis.call('ZCARD', KEYS[1]) >= most then
  local first = redis.call('ZRANGE', KEYS[1], -most, -most, 'WITHSCORES')
  return math.max(tonumber(first[2]) + window - now, 1)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], window)
return 0
