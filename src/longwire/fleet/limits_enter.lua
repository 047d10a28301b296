-- Admits a turn, or tells the whole state that refuses it; without a lease it admits none.
--
-- ARGV: 1 limits, `-` for none: requests and tokens a minute, turns at once, tokens and cost of the
-- day, of the month; 2 the lease; 3 milliseconds for which it holds.
-- Admitted: the time in ms, requests, tokens, last second with tokens, whether the day's sums are
-- unknown; where no lease was named, the time alone. Refused: the time in ms, turns under way, tokens
-- and cost expected of them, tokens and cost of the day, of the month, then all fields of the window.

local function enter()
  sweep()
  local active, day, month = 0, {}, {}
  if KEYS[2] then
    expire()
    active = redis.call('ZCOUNT', KEYS[2], now, '+inf')
  end
  local window = redis.call('HMGET', KEYS[1], 'R', 'T', 'E', 'C', 'L')
  local requests, tokens = number(window[1]), number(window[2])
  local reserved, cost = number(window[3]), number(window[4])
  if KEYS[3] then
    day = redis.call('HMGET', KEYS[3], 't', 'c', 'k')
    month = redis.call('HMGET', KEYS[4], 't', 'c')
  end
  local day_tokens, day_cost = number(day[1]), number(day[2])
  local month_tokens, month_cost = number(month[1]), number(month[2])

  local used = {
    requests, tokens + reserved, active,
    day_tokens + reserved, day_cost + cost, month_tokens + reserved, month_cost + cost,
  }
  local at, admits = 0, true
  for limit in string.gmatch(ARGV[1], '%S+') do
    at = at + 1
    local most = tonumber(limit)
    if most and used[at] >= most then admits = false end
  end
  keep()
  if not admits then
    local state = {
      now, active, reserved, cost, day_tokens, day_cost, month_tokens, month_cost,
    }
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
  return {now, requests + 1, tokens, number(window[5]), (KEYS[3] and not day[3]) and 1 or 0}
end
