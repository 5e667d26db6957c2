-- shuffle_shard: gives each customer its own few hosts, by the numbers in the dynamic metadata namespace
-- `envoy.runtime` and nothing else. See docs/envoy.md.
--
-- With shuffle_sharding.hosts it leaves an ordered list "ip:port,ip:port" in metadata `shard`, key `hosts`, for a
-- cluster with the override_host load balancing policy. Without, it names a cluster in `x-target-cluster`.

local SETTINGS = {
  total_hosts = 8, -- used when the runtime has no number, or an absurd one
  default_shard_size = 2,
  max_hosts = 4096, -- more is absurd, as it is to schemas/shard-config.schema.json
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
  dropped_headers = { "x-envoy-original-dst-host" }, -- beside the four above, when a client sends them
}

local RUNTIME = "envoy.runtime"
local TOTAL_HOSTS = "shuffle_sharding.total_hosts"
local DEFAULT_SHARD_SIZE = "shuffle_sharding.default_shard_size"
local HOSTS = "shuffle_sharding.hosts"
local VERSION = "shuffle_sharding.version"

local bit = require("bit")
local band, bxor, lshift, rol, rshift, tobit = bit.band, bit.bxor, bit.lshift, bit.rol, bit.rshift, bit.tobit
local byte, find, gmatch, match, sub = string.byte, string.find, string.gmatch, string.match, string.sub
local concat, floor, min, sort = table.concat, math.floor, math.min, table.sort

-- The low 32 bits of a product. A double is exact to 2^53 only, so by halves.
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

local SLOT_RANGE = 2 ^ 20 -- a score and its slot share one double: 32 + 20 bits

-- One number that orders slots as rendezvous hashing does: by score, ties to the lower slot.
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

-- The `size` best of `total` slots for a text, best first. The same as assignShard in src/shard/assign.ts.
local function rank(text, total, size)
  local a, c = murmur3_32(text, 0), murmur3_32(text, 0x9747b28c)
  local best = {}
  for slot = 0, size - 1 do best[slot + 1] = weigh(a, c, slot) end
  if size < total then
    for i = floor(size / 2), 1, -1 do sift_down(best, i, size) end
    for slot = size, total - 1 do
      local weight = weigh(a, c, slot)
      if weight > best[1] then
        best[1] = weight
        sift_down(best, 1, size)
      end
    end
  end
  sort(best)
  local slots = {}
  for i = size, 1, -1 do slots[size - i + 1] = SLOT_RANGE - 1 - best[i] % SLOT_RANGE end
  return slots
end

local function is_count(value, most)
  return type(value) == "number" and value >= 1 and value <= most and value == floor(value)
end

-- This worker's view of the runtime, and the shards that follow from it. `recent` and `older` are two generations of
-- one cache: when `recent` is full it becomes `older`. Ids are an attacker's to invent, so it is bounded, and a customer
-- who keeps coming stays in it.
local view = {}
local recent, older, recent_slots = {}, {}, 0

local function parse_hosts(text)
  if type(text) ~= "string" then return nil end
  local hosts = {}
  for host in gmatch(text, "[^,%s]+") do
    hosts[#hosts + 1] = host
    if #hosts == SETTINGS.max_hosts then break end
  end
  return hosts[1] and hosts or nil
end

-- Takes over what the runtime says, if it is not what it said last; then all cached shards are dropped.
local function look(runtime)
  local total, size, hosts, version = runtime[TOTAL_HOSTS], runtime[DEFAULT_SHARD_SIZE], runtime[HOSTS], runtime[VERSION]
  if view.total and view.raw_total == total and view.raw_size == size and view.raw_hosts == hosts and view.raw_version == version then
    return
  end
  view = { raw_total = total, raw_size = size, raw_hosts = hosts, raw_version = version }
  view.hosts = parse_hosts(hosts)
  view.total = is_count(total, SETTINGS.max_hosts) and total or SETTINGS.total_hosts
  if view.hosts then view.total = min(view.total, #view.hosts) end
  view.size = is_count(size, SETTINGS.max_shard_size) and size or SETTINGS.default_shard_size
  view.version = type(version) == "string" and match(sub(version, 1, 12), "^[%w._-]+$") or "fallback"
  recent, older, recent_slots = {}, {}, 0
end

local function make_shard(customer, size)
  local slots = rank(customer, view.total, size)
  local named, targets = {}, {}
  for i, slot in ipairs(slots) do
    named[i] = slot + 1
    targets[i] = view.hosts and view.hosts[slot + 1] or SETTINGS.target_prefix .. slot
  end
  return {
    size = size,
    targets = targets,
    lists = {}, -- what make_list made, by where it starts
    assignment = "[" .. concat(named, ",") .. "]",
    config = size .. "/" .. view.total,
  }
end

local function remember(customer, shard)
  recent_slots = recent_slots + shard.size + 8 -- an entry itself weighs about as much as 8 slots
  if recent_slots > SETTINGS.cache_slots / 2 then
    recent, older, recent_slots = {}, recent, shard.size + 8
  end
  recent[customer] = shard
  return shard
end

local function shard_of(customer, runtime)
  look(runtime)
  local size = runtime["shuffle_sharding.customer." .. customer .. ".shard_size"]
  size = min(is_count(size, SETTINGS.max_shard_size) and size or view.size, view.total)
  local shard = recent[customer]
  if shard and shard.size == size then return shard end
  shard = older[customer]
  if not shard or shard.size ~= size then shard = make_shard(customer, size) end
  return remember(customer, shard)
end

-- Where this path starts in the shard, 1-based.
local function start_of(shard, path)
  return murmur3_32(#path > 1024 and sub(path, 1, 1024) or path, 0) % shard.size + 1
end

-- The shard's hosts from there, once around: what the retries walk.
local function make_list(shard, start)
  local list = {}
  for i = 1, min(shard.size, SETTINGS.max_candidates) do
    list[i] = shard.targets[(start + i - 2) % shard.size + 1]
  end
  list = concat(list, ",")
  shard.lists[start] = list
  return list
end

-- Why a customer header is no good, or nil.
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
    body:format(code, SETTINGS.customer_header, words)
  )
end

-- replace() leaves no copy that came from elsewhere.
local function label(headers, assignment, config, version)
  headers:replace(SETTINGS.assignment_header, assignment)
  headers:replace(SETTINGS.config_header, config)
  headers:replace(SETTINGS.version_header, version)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  headers:remove(SETTINGS.target_header) -- first of all: clusters are not a client's to choose, whatever fails below
  for _, name in ipairs(SETTINGS.dropped_headers) do headers:remove(name) end
  local customer = headers:get(SETTINGS.customer_header)
  local code, words = fault(headers, customer)
  if code then return refuse(handle, code, words) end
  local metadata = handle:streamInfo():dynamicMetadata()
  local shard = shard_of(customer, metadata:get(RUNTIME) or {})
  local start = start_of(shard, headers:get(":path") or "/")
  label(headers, shard.assignment, shard.config, view.version)
  if view.hosts then
    metadata:set("shard", "hosts", shard.lists[start] or make_list(shard, start))
  else
    headers:add(SETTINGS.target_header, shard.targets[start])
  end
  metadata:set("shard", "assignment", shard.assignment)
  metadata:set("shard", "config", shard.config)
  metadata:set("shard", "version", view.version)
end

-- Also for Envoy's own answers, as a 503 is. A request that was refused has no shard.
function envoy_on_response(handle)
  local shard = handle:streamInfo():dynamicMetadata():get("shard")
  if shard then label(handle:headers(), shard.assignment, shard.config, shard.version) end
end
