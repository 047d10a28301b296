-- Lets the leases of one node hold on, and takes up those that were lost with the server.
--
-- ARGV: 1 milliseconds for which they hold from now, then the leases.

local function renew()
  sweep()
  expire()
  for at = 2, #ARGV do
    local holds = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[at]) or nil)
    if not holds then reserve(expected(ARGV[at])) end
    if not holds or holds > 0 then redis.call('ZADD', KEYS[2], now + tonumber(ARGV[1]), ARGV[at]) end
  end
  keep()
end
