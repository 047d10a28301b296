-- Runs one of the three; ARGV: its name, then what its file says. They are one script, so that Valkey
-- knows all or none, and whoever leaves before somebody enters is out by then.

local name = table.remove(ARGV, 1)
return ({enter = enter, count = count, renew = renew})[name]()
