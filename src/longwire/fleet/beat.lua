-- One life of a node announces itself: its field in the hash of its name is `seen begun announcement`, in µs by
-- this server's clock. Returns the epochs of other lives that were heard since this one began: the name is taken.
-- KEYS: the name's hash. ARGV: epoch, announcement, seconds that it lasts.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local own = redis.call('HGET', KEYS[1], ARGV[1])
local begun = own and tonumber(string.match(own, '^%d+ (%d+)')) or now
local twins = {}
local lives = redis.call('HGETALL', KEYS[1])
for at = 1, #lives, 2 do
  local seen = tonumber(string.match(lives[at + 1], '^%d+')) or 0
  if seen + ARGV[3] * 1000000 < now then
    redis.call('HDEL', KEYS[1], lives[at])
  elseif lives[at] ~= ARGV[1] and seen > begun then
    twins[#twins + 1] = lives[at]
  end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %.0f %s', now, begun, ARGV[2]))
redis.call('EXPIRE', KEYS[1], ARGV[3])
return twins
