-- shuffle_shard: gives each customer its own few hosts, by nothing but the values in the dynamic metadata namespace
-- `envoy.runtime`. See docs/envoy.md.
--
-- With shuffle_sharding.hosts it leaves an ordered list "ip:port,ip:port" in metadata `shard`, key `hosts`, for a
-- cluster with the override_host load balancing policy. Without, it names a cluster in `x-target-cluster`.

local NAME = "shuffle_shard"
local SETTINGS = {
  total_hosts = 8, -- when the runtime has no value, or one that can't be right
  default_shard_size = 2,
  max_hosts = 4096, -- more can't be right, as in schemas/shard-config.schema.json
  max_shard_size = 1024,
  max_customer_bytes = 256,
  max_candidates = 16, -- hosts that one request may try
  cache_slots = 65536, -- bound of the cache, in slots of cached shards (see remember)
  customer_header = "x-customer-id",
  assignment_header = "x-shard-assignment",
  config_header = "x-shard-config",
  version_header = "x-shard-version",
  target_header = "x-target-cluster",
  target_prefix = "backend_",
  dropped_headers = { "x-envoy-original-dst-host" }, -- besides the four above, when a client sends them
}

-- Names of runtime keys, as in src/release/runtime-keys.ts.
local RUNTIME = "envoy.runtime" -- the metadata namespace
local PREFIX = "shuffle_sharding."
local NEXT = "next."
local CUSTOMER = "customer."

-- What a customer may have of its own, by the end of its key: the key of the packed list of all customers' values, and their
-- bounds. 0 is none: it takes back in the next view what the current one has.
local OWN_NAMES = { "shard_size", "deal", "quarantine" }
local OWN = {
  shard_size = { list = "sizes", least = 1, most = SETTINGS.max_shard_size },
  deal = { list = "deals", least = 1, most = 99999 },
  quarantine = { list = "quarantined", least = 0, most = 1 },
}

local byte, char, find, format = string.byte, string.char, string.find, string.format
local gmatch, gsub, match, sub = string.gmatch, string.gsub, string.match, string.sub
local concat, floor, min, sort = table.concat, math.floor, math.min, table.sort

local bit = require("bit")
local band, bxor, lshift, rol, rshift, tobit = bit.band, bit.bxor, bit.lshift, bit.rol, bit.rshift, bit.tobit

-- The low 32 bits of a product, in halves: a double is exact only up to 2^53.
local function multiply(a, b)
  return tobit(tobit(band(a, 0xffff) * b) + lshift(tobit(rshift(a, 16) * b), 16))
end

local function fmix32(h)
  h = multiply(bxor(h, rshift(h, 16)), 0x85ebca6b)
  h = multiply(bxor(h, rshift(h, 13)), 0xc2b2ae35)
  return bxor(h, rshift(h, 16))
end

local function mix_block(k)
  return multiply(rol(multiply(k, 0xcc9e2d51), 15), 0x1b873593)
end

-- MurmurHash3 x86_32 of a string.
local function murmur3_32(text, seed)
  local h, size = tobit(seed), #text
  local blocks = size - size % 4
  for i = 1, blocks, 4 do
    local a, b, c, d = byte(text, i, i + 3)
    h = bxor(h, mix_block(a + lshift(b, 8) + lshift(c, 16) + lshift(d, 24)))
    h = tobit(rol(h, 13) * 5 + 0xe6546b64)
  end
  local a, b, c = byte(text, blocks + 1, size)
  if a then h = bxor(h, mix_block(a + lshift(b or 0, 8) + lshift(c or 0, 16))) end
  return fmix32(bxor(h, size))
end

-- A view is everything that follows from one set of pushed values: the number of slots, which of them are drained, their
-- hosts, the default size. A value that can't be used is replaced by a default, never nil, and `problem` names it.

-- A pushed value as an integer, or nil.
local function count_of(value, least, most)
  if type(value) == "string" then value = find(value, "^%d%d?%d?%d?%d?$") and tonumber(value) end
  if type(value) ~= "number" or value < least or value > most or value ~= floor(value) then return nil end
  return value
end

local function read_total(value) return count_of(value, 1, SETTINGS.max_hosts) end
local function read_size(value) return count_of(value, 1, SETTINGS.max_shard_size) end
local function read_quarantine(value) return count_of(value, 0, SETTINGS.max_hosts - 1) end
local function read_deal(value) return count_of(value, 1, OWN.deal.most) end
local function read_version(value) return type(value) == "string" and match(sub(value, 1, 12), "^[%w._-]+$") or nil end

-- "a:1,,c:3" as a list, with false for a vacant slot. Nil when an item is not an address, or there is none at all.
local function read_hosts(value)
  if type(value) ~= "string" or #value > 64 * SETTINGS.max_hosts then return nil end
  local hosts, named = {}, false
  for host in gmatch(value .. ",", "([^,]*),") do
    host = gsub(host, "^%s+", "")
    local vacant = host == ""
    if #hosts == SETTINGS.max_hosts or #host > 64 or not (vacant or find(host, "^[%w.:%[%]-]+:%d+$")) then return nil end
    hosts[#hosts + 1] = not vacant and host
    named = named or not vacant
  end
  return named and hosts or nil
end

-- ",3,7," as a set of slots.
local function read_slots(value)
  if type(value) ~= "string" or #value > 6 * SETTINGS.max_hosts then return nil end
  if value ~= "" and not find(value, "^,[%d,]*$") or find(value, "%d$") then return nil end
  local slots = {}
  for digits in gmatch(value, "%d+") do
    local slot = count_of(digits, 0, SETTINGS.max_hosts - 1)
    if not slot then return nil end
    slots[slot] = true
  end
  return slots
end

-- Vacant slots count as drained.
local function drain_vacant(view)
  for slot = 0, view.total - 1 do
    if view.hosts and not view.hosts[slot + 1] then view.drained[slot] = true end
  end
end

local function count_free(view)
  local free = 0
  for slot = 0, view.total - 1 do
    if not view.drained[slot] then free = free + 1 end
  end
  return free
end

-- Takes the quarantine's slots, the last ones, from a view. Returns what quarantined customers have in its place: those alone,
-- drained ones too if there are no others.
local function set_apart(view, count)
  local apart, first = { total = view.total, drained = {} }, view.total - count
  for slot = 0, view.total - 1 do apart.drained[slot] = slot < first or view.drained[slot] end
  apart.free = count_free(apart)
  for slot = first, view.total - 1 do
    if apart.free == 0 then apart.drained[slot] = nil end
    view.drained[slot] = true
  end
  apart.free = count_free(apart)
  return apart
end

local function make_view(pushed)
  local problem
  local function use(name, read, default)
    if pushed[name] == nil then return default end
    local used = read(pushed[name])
    if used ~= nil then return used end
    problem = problem or name
    return default
  end
  local view = {
    pushed = pushed,
    total = use("total_hosts", read_total, SETTINGS.total_hosts),
    size = use("default_shard_size", read_size, SETTINGS.default_shard_size),
    hosts = use("hosts", read_hosts, nil),
    drained = use("drain", read_slots, nil) or {},
    version = use("version", read_version, "fallback"),
  }
  if view.hosts then view.total = min(view.total, #view.hosts) end
  drain_vacant(view)
  if count_free(view) == 0 then
    problem = problem or "drain"
    view.drained = {} -- all are drained: use them anyway
  end
  local apart = use("quarantine_hosts", read_quarantine, 0)
  if apart > 0 then view.apart = set_apart(view, min(apart, view.total)) end
  view.free = count_free(view)
  if view.free == 0 then
    problem = problem or "quarantine_hosts"
    view.drained, view.free, view.apart = {}, view.total, nil -- none is left for the others: no quarantine
  end
  view.problem = problem
  return view
end

-- Why `view` must not replace `before`, which was good: the name of what it lacks. Nil when it may.
local function lacks(view, before)
  if not view.pushed.total_hosts then return "total_hosts" end
  if before.hosts and not view.hosts then return "hosts" end
end

local reported -- the version that was last reported as unusable

-- Counts in http.<prefix>.lua.[<stat_prefix>.]unusable from Envoy 1.38 on; the log has it on all, once per version.
local function report_unusable(handle, name, version, is_kept)
  if handle.stats then handle:stats():counter("unusable"):inc(1) end
  if reported == version then return end
  reported = version
  local held = is_kept and "the last good values stay" or "defaults stand in its place until good values come"
  handle:logWarn(format("%s: %s%s of version %s is missing or can't be used; %s", NAME, PREFIX, name, version, held))
end

local SLOT_RANGE = 2 ^ 20 -- a score and its slot share one double: 32 + 20 bits

-- A number that orders slots as rendezvous hashing does: by score, ties to the lower slot.
local function weigh(a, c, slot)
  local score = fmix32(tobit(fmix32(bxor(a, fmix32(slot + 1))) + c))
  return score % 4294967296 * SLOT_RANGE + (SLOT_RANGE - 1 - slot)
end

-- Restores the heap (least first) below `i`.
local function sift_down(heap, i, size)
  local item = heap[i]
  while true do
    local child = 2 * i
    if child > size then break end
    if child < size and heap[child + 1] < heap[child] then child = child + 1 end
    if heap[child] >= item then break end
    heap[i] = heap[child]
    i = child
  end
  heap[i] = item
end

-- The `size` best of a pool's slots for a text, best first, without drained ones; at most pool.free of them.
-- The same as assignShard in src/shard/assign.ts.
local function rank(text, pool, size)
  local a, c = murmur3_32(text, 0), murmur3_32(text, 0x9747b28c)
  local drained, best, count, slot = pool.drained, {}, 0, 0
  while count < size do
    if not drained[slot] then
      count = count + 1
      best[count] = weigh(a, c, slot)
    end
    slot = slot + 1
  end
  for i = floor(size / 2), 1, -1 do sift_down(best, i, size) end
  for rest = slot, pool.total - 1 do
    local weight = weigh(a, c, rest)
    if weight > best[1] and not drained[rest] then
      best[1] = weight
      sift_down(best, 1, size)
    end
  end
  sort(best)
  local slots = {}
  for i = size, 1, -1 do slots[size - i + 1] = SLOT_RANGE - 1 - best[i] % SLOT_RANGE end
  return slots
end

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

-- A client must not choose clusters or hosts.
local function drop(headers)
  headers:remove(SETTINGS.target_header)
  for _, name in ipairs(SETTINGS.dropped_headers) do headers:remove(name) end
end

-- What is wrong with a customer header, or nil.
local function fault(headers, customer)
  if not customer or customer == "" then return "customer_missing", "is missing" end
  if #customer > SETTINGS.max_customer_bytes then
    return "customer_too_long", "is longer than " .. SETTINGS.max_customer_bytes .. " bytes"
  end
  -- get() joins several lines with a comma
  if find(customer, ",", 1, true) and headers:getNumValues(SETTINGS.customer_header) > 1 then
    return "customer_repeated", "is there more than once"
  end
end

local function refuse(handle, code, words)
  local body = '{"error":"%s","message":"the header %s %s"}\n'
  handle:respond(
    { [":status"] = "400", ["content-type"] = "application/json" },
    format(body, code, SETTINGS.customer_header, words)
  )
end

-- Where the request goes: a list for the load balancing policy, or the name of a cluster.
local function direct(shard, headers, metadata)
  local start = start_of(shard, headers:get(":path") or "/")
  if shard.in_hosts_mode then
    metadata:set("shard", "hosts", shard.lists[start] or make_list(shard, start))
  else
    headers:add(SETTINGS.target_header, shard.targets[start])
  end
  metadata:set("shard", "assignment", shard.assignment)
  metadata:set("shard", "config", shard.config)
  metadata:set("shard", "version", shard.version)
end

local FIELDS = { "total_hosts", "default_shard_size", "hosts", "drain", "quarantine_hosts", "version" }
local KEYS = {} -- their full names, put together once
for _, name in ipairs(FIELDS) do KEYS[name] = PREFIX .. name end

-- The views of the latest requests, newest first: with a next view there are two. `is_good`: all of the newest could be used.
local view, other
local is_good = false
local refused = { pushed = {} } -- the last that could not be used, so that it is checked only once

local function is_same(view, runtime)
  local pushed = view.pushed
  for _, name in ipairs(FIELDS) do
    if pushed[name] ~= runtime[KEYS[name]] then return false end
  end
  return true
end

-- The view in a request's metadata. One that can't be used leaves the last good one in place.
local function look(handle, runtime)
  if view and (is_same(view, runtime) or is_good and is_same(refused, runtime)) then return end
  if other and is_same(other, runtime) then
    view, other = other, view
    return
  end
  local pushed = {}
  for _, name in ipairs(FIELDS) do pushed[name] = runtime[KEYS[name]] end
  local made = make_view(pushed)
  local problem = made.problem or is_good and lacks(made, view)
  if problem then report_unusable(handle, problem, made.version, is_good) end
  if problem and is_good then
    refused = made
    return
  end
  is_good = not problem and made.pushed.total_hosts ~= nil
  made.cache = make_cache()
  view, other = made, view
end

-- The keys of what a customer has of its own.
local function own_keys(customer)
  local keys, prefix = {}, PREFIX .. CUSTOMER .. customer .. "."
  for _, name in ipairs(OWN_NAMES) do keys[name] = prefix .. name end
  return keys
end

local function shard_of(customer, runtime)
  local cache = view.cache
  local recent = cache.recent[customer]
  local shard = recent or cache.older[customer]
  local keys = shard and shard.keys or own_keys(customer)
  local pool = pool_of(view, runtime[keys.quarantine] == 1)
  local size = min(read_size(runtime[keys.shard_size]) or view.size, pool.free)
  local deal = read_deal(runtime[keys.deal])
  if not shard or shard.size ~= size or shard.deal ~= deal or shard.pool ~= pool then
    shard = make_shard(view, pool, text_of(customer, deal), size)
    shard.keys, shard.deal, shard.pool = keys, deal, pool
  elseif recent then
    return shard
  end
  return remember(cache, customer, shard, size)
end

-- replace() leaves no value that came from elsewhere.
local function label(headers, shard)
  headers:replace(SETTINGS.assignment_header, shard.assignment)
  headers:replace(SETTINGS.config_header, shard.config)
  headers:replace(SETTINGS.version_header, shard.version)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  drop(headers) -- first, whatever fails below
  local customer = headers:get(SETTINGS.customer_header)
  local code, words = fault(headers, customer)
  if code then return refuse(handle, code, words) end
  local metadata = handle:streamInfo():dynamicMetadata()
  local runtime = metadata:get(RUNTIME) or {}
  look(handle, runtime)
  local shard = shard_of(customer, runtime)
  label(headers, shard)
  direct(shard, headers, metadata)
end

-- Also for Envoy's own responses, such as a 503. A request that was refused has no shard.
function envoy_on_response(handle)
  local shard = handle:streamInfo():dynamicMetadata():get("shard")
  if shard then label(handle:headers(), shard) end
end
