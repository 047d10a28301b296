-- The index of names, each with when it was heard last, in ms by this server's clock. Announces a name unless it is
-- empty, and forgets who has been silent for long. Returns the time, then each name and when it was heard.
-- KEYS: the index. ARGV: a name or '', seconds that silent ones are remembered.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2] * 1000))
return {string.format('%.0f', now), unpack(redis.call('ZRANGE', KEYS[1], 0, 1999, 'WITHSCORES'))}
