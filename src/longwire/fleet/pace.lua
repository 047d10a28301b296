-- One place by the generic cell rate algorithm, on the clock of the server.
-- KEYS: the pace. ARGV: microseconds between two places, slack for a burst, longest wait.
-- Returns how long to wait; beyond the longest no place is taken.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, slack, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = math.max(due - slack - now, 0)
if wait <= longest then
  due = due + interval
  local lasts = math.ceil((due - now) / 1000)
  redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', lasts)
end
return string.format('%.0f', wait)
