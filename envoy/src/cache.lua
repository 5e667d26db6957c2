-- Two generations of one cache by customer: when `recent` is full it becomes `older`. Ids are an attacker's to invent, so it
-- is bounded, and a customer who keeps coming stays in it.
local function make_cache()
  return { recent = {}, older = {}, slots = 0 }
end

-- An entry itself weighs about as much as 8 slots of a shard.
local function remember(cache, customer, entry, slots)
  cache.slots = cache.slots + slots + 8
  if cache.slots > SETTINGS.cache_slots / 2 then
    cache.recent, cache.older, cache.slots = {}, cache.recent, slots + 8
  end
  cache.recent[customer] = entry
  return entry
end
