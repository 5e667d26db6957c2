-- A cache by customer in two generations: when `recent` is full it becomes `older`. So it is bounded, since an attacker can
-- invent ids, and keeps customers whose requests keep coming.
local function make_cache()
  return { recent = {}, older = {}, slots = 0 }
end

-- The overhead of an entry is about that of 8 slots of a shard.
local function remember(cache, customer, entry, slots)
  cache.slots = cache.slots + slots + 8
  if cache.slots > SETTINGS.cache_slots / 2 then
    cache.recent, cache.older, cache.slots = {}, cache.recent, slots + 8
  end
  cache.recent[customer] = entry
  return entry
end
