-- What is hashed of a customer who was dealt anew so often (nil: never). The same as hashedText in src/shard/shard-of.ts.
local function text_of(customer, deal)
  return deal and customer .. "#" .. deal or customer
end

-- What a customer's slots are taken from.
local function pool_of(view, quarantined)
  return quarantined and view.apart or view
end

local function make_shard(view, pool, text, size)
  local slots = rank(text, pool, size)
  local named, targets = {}, {}
  for i, slot in ipairs(slots) do
    named[i] = slot + 1
    targets[i] = view.hosts and (view.hosts[slot + 1] or "") or SETTINGS.target_prefix .. slot
  end
  return {
    size = size,
    targets = targets,
    in_hosts_mode = view.hosts ~= nil,
    lists = {}, -- results of make_list, by start
    assignment = "[" .. concat(named, ",") .. "]",
    config = size .. "/" .. view.total,
    version = view.version,
  }
end

-- The index in the shard that this path starts at, 1-based.
local function start_of(shard, path)
  return murmur3_32(#path > 1024 and sub(path, 1, 1024) or path, 0) % shard.size + 1
end

-- The shard's hosts from there, once around: retries walk this list.
local function make_list(shard, start)
  local list = {}
  for i = 1, min(shard.size, SETTINGS.max_candidates) do
    list[i] = shard.targets[(start + i - 2) % shard.size + 1]
  end
  list = concat(list, ",")
  shard.lists[start] = list
  return list
end
