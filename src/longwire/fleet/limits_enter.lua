-- Admits a turn, or tells the whole state that refuses it; without a lease it admits none.
--
-- ARGV: 1 limits, `-` for none: requests and tokens a minute, turns at once, tokens and cost of each
-- period; 2 the lease; 3 milliseconds for which it holds.
-- Admitted: the time in ms, requests, tokens, last second with tokens, whether the sums of any
-- period are unknown; where no lease was named, the time alone. Refused: the time in ms, turns under
-- way, tokens and cost expected of them, tokens and cost of each period, then all fields of the window.

local function enter()
  sweep()
  local active = 0
  if KEYS[2] then
    expire()
    active = redis.call('ZCOUNT', KEYS[2], now, '+inf')
  end
  local window = redis.call('HMGET', KEYS[1], 'R', 'T', 'E', 'C', 'L')
  local requests, tokens = number(window[1]), number(window[2])
  local reserved, cost = number(window[3]), number(window[4])
  local used = {requests, tokens + reserved, active}
  local state, is_known = {now, active, reserved, cost}, true
  for key = 3, #KEYS do
    local period = redis.call('HMGET', KEYS[key], 't', 'c', 'k')
    local period_tokens, period_cost = number(period[1]), number(period[2])
    used[#used + 1], used[#used + 2] = period_tokens + reserved, period_cost + cost
    state[#state + 1], state[#state + 2] = period_tokens, period_cost
    is_known = is_known and period[3]
  end
  local at, admits = 0, true
  for limit in string.gmatch(ARGV[1], '%S+') do
    at = at + 1
    local most = tonumber(limit)
    if most and used[at] >= most then admits = false end
  end
  keep()
  if not admits then
    for _, each in ipairs(redis.call('HGETALL', KEYS[1])) do state[#state + 1] = each end
    return state
  end

  if not ARGV[2] then return {now} end
  add(second, 1, 0)
  if KEYS[2] then
    redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), ARGV[2])
    reserve(expected(ARGV[2]))
  end
  keep()
  return {now, requests + 1, tokens, number(window[5]), is_known and 0 or 1}
end
