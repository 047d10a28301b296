-- Say where a session is served from now on, and tell the node that served it before.
-- KEYS: the session. ARGV: this node, seconds that it counts, channel of tidings, the session.
local before = redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2], 'GET')
if before and before ~= ARGV[1] then
  local facts = { session = ARGV[4] }
  redis.call('PUBLISH', ARGV[3], cjson.encode({ node = ARGV[1], kind = 'moved', facts = facts }))
end
