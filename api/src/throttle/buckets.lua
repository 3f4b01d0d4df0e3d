-- Takes from all buckets or from none; with negative costs, gives back.
-- KEYS: a bucket each; its value is when it will be full again, microseconds since 1970 by this server's clock.
-- ARGV: for each bucket its cost and its capacity, microseconds.
-- Answers 0 and the debts after it; or the longest wait in microseconds and which bucket asks for it.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local debts, wait, slowest = {}, 0, 0
for i, key in ipairs(KEYS) do
  local cost, capacity = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local debt = (tonumber(redis.call('GET', key) or now)) - now
  -- Another server's clock (after a failover) must not keep anybody out for longer than a whole bucket takes.
  debt = math.min(math.max(debt, 0), capacity)
  local after = debt + cost
  if after - capacity > wait then
    wait, slowest = after - capacity, i
  end
  debts[i] = math.max(after, 0)
end
if wait > 0 then
  return {wait, slowest}
end
local answer = {0}
for i, key in ipairs(KEYS) do
  if debts[i] > 0 then
    redis.call('SET', key, string.format('%.0f', now + debts[i]), 'PX', math.ceil(debts[i] / 1000))
  else
    redis.call('DEL', key)
  end
  answer[i + 1] = debts[i]
end
return answer
