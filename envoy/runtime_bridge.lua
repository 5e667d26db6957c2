-- runtime_bridge: copies this request's shuffle-sharding values from Envoy's runtime into the dynamic metadata
-- namespace `envoy.runtime`, where shuffle_shard.lua (or any other filter) reads them. See docs/envoy.md.
--
-- Lua can't read the runtime, so this asks Envoy's own admin interface through a cluster: at most once per refresh interval
-- and worker, first for one counter, and for the runtime itself only when that counter has changed. Requests meanwhile use
-- what the worker read last. Values that can't be used are never applied.

local NAME = "runtime_bridge"
local SETTINGS = {
  customer_header = "x-customer-id",
  admin_cluster = "envoy_admin",
  refresh_ms = 500, -- how old values may get while requests arrive
  check_timeout_ms = 1000, -- for the counter
  read_timeout_ms = 5000, -- for the runtime: 100,000 keys take 1.5 s
  max_backoff_ms = 30000, -- between attempts while they fail
  total_hosts = 8, -- while the runtime has no value: as in shuffle_shard.lua
  default_shard_size = 2,
  max_hosts = 4096, -- more can't be right, as in schemas/shard-config.schema.json
  max_shard_size = 1024,
  cache_slots = 65536, -- bound of the cache: eight for each customer
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

-- Lists of customers in one string: ",id=3,other=5," and ",id,other,".

local COMMA = byte(",")

-- Encodes an id for such a list.
local function encode_id(id)
  if not find(id, '[%%,="\\%c\128-\255]') then return id end
  return (gsub(id, '[%%,="\\%c\128-\255]', function(c) return format("%%%02X", byte(c)) end))
end

local function is_list(text)
  return text == "" or byte(text, 1) == COMMA and byte(text, -1) == COMMA
end

-- The entry after the comma at `at`: its id, its value, the next comma. The id is nil when the entry is malformed.
local function entry_at(text, at)
  local stop = find(text, ",", at + 1, true)
  local equals = find(text, "=", at + 1, true)
  if not equals or equals > stop then return nil, nil, stop end
  return sub(text, at + 1, equals - 1), sub(text, equals + 1, stop - 1), stop
end

-- Looks up an id in a packed list that is sorted by the bytes of the encoded ids; nil when it is not there. A binary search
-- over positions, without parsing the list. A malformed entry is less than every id.
local function find_packed(text, id)
  local wanted = encode_id(id)
  local low, high = 1, #text -- entries before `low` are less than the id, those whose comma is at `high` or later are not
  while low < high do
    local middle = floor((low + high) / 2)
    local comma = find(text, ",", middle, true)
    if comma >= high then
      high = middle
    else
      local name, value, stop = entry_at(text, comma)
      if name == wanted then return value end
      if name and name > wanted then high = comma else low = stop end
    end
  end
  return nil
end

-- Whether it looks like a sorted packed list: checks the ends and some entries in between. (All would take as long as parsing,
-- and each is checked again when it is looked up.)
local function is_packed(text, least, most)
  if not is_list(text) then return false end
  local before = ""
  for part = 0, 31 do
    local comma = find(text, ",", 1 + floor((#text - 1) * part / 32), true)
    if not comma or comma == #text then break end
    local name, value = entry_at(text, comma)
    if not name or name < before or not count_of(value, least, most) then return false end
    before = name
  end
  return true
end

-- The runtime's values as one or two views: the current one, and the next one, which some customers use already.

local VIEW_FIELDS = { "total_hosts", "default_shard_size", "hosts", "drain", "quarantine_hosts", "version" }
local FIELDS = { cutover = 1, first = 1 }
for _, name in ipairs(VIEW_FIELDS) do FIELDS[name] = 1 end
for _, own in pairs(OWN) do FIELDS[own.list] = 1 end
local BOOLEANS = { ["true"] = 1, ["false"] = 0 }
local CUTOVER = 0x6375746f

-- `least`: of what customers have of their own.
local function make_part(least) return { least = least, own = {} } end

-- The least that a part may have of its own for a customer.
local function least_of(part, own) return min(part.least, own.least) end

-- Keeps what a key of a customer says; `rest`: the key after `customer.`.
local function keep_own(part, rest, value)
  local customer, name = match(rest, "^(.*)%.([%l_]+)$")
  local own = OWN[name]
  if not own then return end
  if name == "quarantine" then value = BOOLEANS[value] or value end
  local used = count_of(value, least_of(part, own), own.most)
  if not used then part.problem = "customer.*." .. name end
  part.own[name] = part.own[name] or {}
  part.own[name][customer] = used
end

-- Collects the entries of a response.
local function make_layer()
  local layer = { current = make_part(1), next = make_part(0), has_next = false }
  layer.keep = function(key, value)
    local part, name = layer.current, key
    if sub(key, 1, #NEXT) == NEXT then
      part, name = layer.next, sub(key, #NEXT + 1)
      layer.has_next = true
    end
    if FIELDS[name] then
      part[name] = value
    elseif sub(name, 1, #CUSTOMER) == CUSTOMER then
      keep_own(part, sub(name, #CUSTOMER + 1), value)
    end
  end
  return layer
end

-- What is wrong with a part, besides its view.
local function part_problem(part)
  for _, name in ipairs(OWN_NAMES) do
    local own = OWN[name]
    if part[own.list] and not is_packed(part[own.list], least_of(part, own), own.most) then
      part[own.list] = nil
      return own.list
    end
  end
  return part.problem
end

-- The part of the next view; what it leaves out is as in the current one.
local function overlay(part, current)
  local pushed = { base = current, own = part.own, least = part.least }
  for _, own in pairs(OWN) do pushed[own.list] = part[own.list] end
  for _, name in ipairs(VIEW_FIELDS) do
    pushed[name] = part[name]
    if pushed[name] == nil then pushed[name] = current[name] end
  end
  return pushed
end

-- The name of what can't be used of the next view, or nil.
local function next_problem(layer, view, current)
  local part = layer.next
  if view.problem then return view.problem end
  local total = read_total(view.pushed.total_hosts)
  if view.hosts and (not current.hosts or total and total > #view.hosts) then return "hosts" end
  if part.cutover and not count_of(part.cutover, 0, 10000) then return "cutover" end
  if part.first and not is_list(part.first) then return "first" end
  return part_problem(part)
end

-- Both views of a layer. `problem` names what can't be used; there is no next view then.
local function make_views(layer)
  local current = make_view(layer.current)
  local views = { current = current, problem = current.problem or part_problem(layer.current) }
  if not layer.has_next then return views end
  local view = make_view(overlay(layer.next, layer.current))
  local problem = next_problem(layer, view, current)
  if problem then
    views.problem = views.problem or NEXT .. problem
  else
    views.next, views.cutover, views.first = view, count_of(layer.next.cutover, 0, 10000) or 0, layer.next.first
  end
  return views
end

local function view_of(views, customer)
  if not views.next then return views.current end
  local share = fmix32(bxor(murmur3_32(customer, 0), CUTOVER)) % 4294967296 % 10000
  if share < views.cutover then return views.next end
  if views.first and find(views.first, "," .. encode_id(customer) .. ",", 1, true) then return views.next end
  return views.current
end

-- What a part has of its own for a customer, or nil. A key comes before the packed list: /runtime_modify can set one.
local function pushed_own(part, name, customer)
  local own, by_key = OWN[name], part.own[name]
  local value = by_key and by_key[customer]
  if value or not part[own.list] then return value end
  return count_of(find_packed(part[own.list], customer), least_of(part, own), own.most)
end

-- What a view has for a customer by name; nil: nothing.
local function own_value(view, name, customer)
  local value = pushed_own(view.pushed, name, customer)
  if not value and view.pushed.base then value = pushed_own(view.pushed.base, name, customer) end
  return value ~= 0 and value or nil
end

local QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY = byte('"\\{}[]', 1, 6)
local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local function utf8(code)
  if code < 0x80 then return char(code) end
  local last = 0x80 + code % 64
  if code < 0x800 then return char(0xC0 + floor(code / 64), last) end
  local middle = 0x80 + floor(code / 64) % 64
  if code < 0x10000 then return char(0xE0 + floor(code / 4096), middle, last) end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, middle, last)
end

-- Unescapes the inside of a JSON string. A lone surrogate becomes U+FFFD.
local function unescape(text)
  if not find(text, "\\", 1, true) then return text end
  local high
  return (gsub(text, "\\(.)(%x?%x?%x?%x?)", function(kind, digits)
    if kind ~= "u" then return (ESCAPES[kind] or kind) .. digits end
    local code = tonumber(digits, 16)
    if code >= 0xD800 and code < 0xDC00 then
      high = code
      return ""
    end
    if code >= 0xDC00 and code < 0xE000 then
      code = high and 0x10000 + (high - 0xD800) * 1024 + (code - 0xDC00) or 0xFFFD
    end
    high = nil
    return utf8(code)
  end))
end

-- Position of the quote that ends the string whose inside starts at `from`, or nil: the first one after an even number of
-- backslashes. (Plain searches, because a packed list is megabytes long.)
local function string_end(body, from)
  local at = from
  while true do
    local quote = find(body, '"', at, true)
    if not quote then return nil end
    local before = quote - 1
    while before >= from and byte(body, before) == BACKSLASH do before = before - 1 end
    if (quote - before) % 2 == 1 then return quote end
    at = quote + 1
  end
end

-- Position of the comma or bracket that follows the JSON value at `at`, or nil.
local function after_value(body, at)
  local depth = 0
  while true do
    local i = find(body, '["%[%]{},]', at)
    if not i then return nil end
    local c = byte(body, i)
    if c == QUOTE then
      i = string_end(body, i + 1)
      if not i then return nil end
    elseif c == OPEN or c == OPEN_ARRAY then
      depth = depth + 1
    elseif depth == 0 then
      return i
    elseif c == CLOSE or c == CLOSE_ARRAY then
      depth = depth - 1
    end
    at = i + 1
  end
end

-- The `final_value` of the entry whose members start at `at` (in any order), and where that string ends; nil when malformed.
local function final_value(body, at)
  while true do
    local _, colon, name = find(body, '^%s*"([%w_]+)"%s*:%s*', at)
    if not colon then return nil end
    if name == "final_value" then
      local stop = byte(body, colon + 1) == QUOTE and string_end(body, colon + 2)
      return stop and unescape(sub(body, colon + 2, stop - 1)), stop
    end
    local stop = after_value(body, colon + 1)
    if not stop or byte(body, stop) == CLOSE then return nil end
    at = stop + 1
  end
end

-- Calls `keep(key, value)` for each of our keys, without the prefix, in a response of the admin's /runtime. Returns false when
-- it is not such a response. An unescaped quote followed by our prefix starts a string; if `: {` comes after that, it is an
-- entry's key.
local function each_entry(body, keep)
  if not find(body, '"entries"', 1, true) or not find(body, "}%s*$", -16) then return false end
  local at = 1
  while true do
    local from = find(body, '"' .. PREFIX, at, true)
    if not from then return true end
    local stop = string_end(body, from + 1)
    local _, open = find(body, "^%s*:%s*{", (stop or #body) + 1)
    at = from + 1
    if open and byte(body, from - 1) ~= BACKSLASH then
      local value, value_end = final_value(body, open + 1)
      if not value then return false end
      keep(sub(unescape(sub(body, from + 1, stop - 1)), #PREFIX + 1), value)
      at = value_end
    end
  end
end

-- Envoy counts every load of the runtime, be it a push or an operator's /runtime_modify. `usedonly` makes the query cheap.
local CHECK_PATH = "/stats?usedonly&type=Counters&filter=%5Eruntime%5C.load_success%24"

-- This worker's state: Lua shares nothing between workers.
local views -- nil before the first read
local is_good = false -- whether all of them could be used
local stamp -- the counter's value before they were read
local due_ms = 0 -- when to check again
local busy_until_ms = 0 -- a request is reading; if its client disconnects, another may read from then on
local failures = 0 -- consecutive
local on_change = function() end -- called when the views have changed

-- The body of an admin page ("" when it is empty), or nil and an error.
local function get(handle, path, timeout_ms)
  local request = { [":method"] = "GET", [":path"] = path, [":authority"] = "admin" }
  local ok, headers, body = pcall(handle.httpCall, handle, SETTINGS.admin_cluster, request, nil, timeout_ms)
  if not ok then return nil, tostring(headers) end
  if headers[":status"] ~= "200" then return nil, "status " .. tostring(headers[":status"]) end
  return body or ""
end

-- As get, for the request that reads on behalf of all of this worker's requests.
local function ask(handle, path, timeout_ms)
  busy_until_ms = handle:timestamp() + timeout_ms
  return get(handle, path, timeout_ms)
end

-- Applies the layer whole or not at all: one that can't be used leaves the last good views in place. Only a worker without
-- any applies what it can use, with defaults for the rest.
local function take_over(handle, layer)
  local made = make_views(layer)
  local problem = made.problem or is_good and lacks(made.current, views.current)
  if problem then report_unusable(handle, problem, read_version(layer.current.version) or "unknown", is_good) end
  if problem and is_good then return end
  views, is_good = made, not problem and made.current.pushed.total_hosts ~= nil
  on_change()
end

-- Brings `views` up to date. Returns nothing, or an error.
local function read(handle)
  local now_stamp, problem = ask(handle, CHECK_PATH, SETTINGS.check_timeout_ms)
  if not now_stamp then return problem end
  -- an empty response means that this Envoy's stats_config excludes the counter: then always read
  if views and now_stamp ~= "" and now_stamp == stamp then return nil end
  local body
  body, problem = ask(handle, "/runtime", SETTINGS.read_timeout_ms)
  if not body then return problem end
  local layer = make_layer()
  if not each_entry(body, layer.keep) then return "an answer that is not a runtime" end
  take_over(handle, layer)
  stamp = now_stamp
  return nil
end

-- Counts in http.<prefix>.lua.[<stat_prefix>.]read_failures from Envoy 1.38 on; the log has it on all.
local function failed(handle, problem)
  failures = failures + 1
  if handle.stats then handle:stats():counter("read_failures"):inc(1) end
  local wait_ms = min(SETTINGS.refresh_ms * 2 ^ failures, SETTINGS.max_backoff_ms)
  local held = views and "keeping the last values" or "there are no values yet"
  local message = "%s: cannot read the runtime through cluster %s (%s); %s, trying again in %d ms"
  handle:logWarn(format(message, NAME, SETTINGS.admin_cluster, problem, held, wait_ms))
  return wait_ms
end

local function refresh(handle)
  local ok, problem = pcall(read, handle)
  local wait_ms = SETTINGS.refresh_ms
  if ok and not problem then failures = 0 else wait_ms = failed(handle, tostring(problem)) end
  due_ms = handle:timestamp() + wait_ms
  busy_until_ms = 0
end

-- Whether a time is in the future. One that is further ahead than we ever set means that the clock was set back.
local function is_ahead(moment_ms, now_ms, most_ms)
  return moment_ms > now_ms and moment_ms - now_ms <= most_ms
end

local function is_busy(now_ms)
  return is_ahead(busy_until_ms, now_ms, SETTINGS.read_timeout_ms)
end

-- Makes sure that `views` are no older than refresh_ms, if reading them works. May yield: whatever was obtained from the
-- handle before must be obtained again.
local function keep_fresh(handle)
  local now_ms = handle:timestamp()
  if views and is_ahead(due_ms, now_ms, SETTINGS.max_backoff_ms) then return end
  -- Until the first read is done, others wait for it. Lua has no timer, but the admin answers one call at a time, so
  -- a call of /ready takes until that read is done.
  while not views and is_busy(now_ms) and get(handle, "/ready", SETTINGS.read_timeout_ms) do
    now_ms = handle:timestamp()
  end
  if not is_busy(now_ms) and not is_ahead(due_ms, now_ms, SETTINGS.max_backoff_ms) then refresh(handle) end
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

local NUMERIC = { total_hosts = true, default_shard_size = true, quarantine_hosts = true }

-- A view's keys for `envoy.runtime`, as an array of alternating keys and values; only those that the runtime has. Filters that
-- read it need not know about other views.
local function list_published(view)
  local published = {}
  for _, name in ipairs(VIEW_FIELDS) do
    local value = view.pushed[name]
    if value ~= nil and NUMERIC[name] then value = count_of(value, 1, SETTINGS.max_hosts) end
    if value ~= nil then
      published[#published + 1] = PREFIX .. name
      published[#published + 1] = value
    end
  end
  return published
end

-- `entry`: the customer's cache entry; `published`: its view's keys; `own`: its own, if any.
local function publish(metadata, entry)
  local published = entry.published
  for i = 1, #published, 2 do metadata:set(RUNTIME, published[i], published[i + 1]) end
  local own = entry.own
  if not own then return end
  for i = 1, #own, 2 do metadata:set(RUNTIME, own[i], own[i + 1]) end
end

local function add_published(entry, view, customer)
  view.published = view.published or list_published(view)
  entry.published = view.published
  for _, name in ipairs(OWN_NAMES) do
    local value = own_value(view, name, customer)
    if value then
      entry.own = entry.own or {}
      entry.own[#entry.own + 1] = PREFIX .. CUSTOMER .. customer .. "." .. name
      entry.own[#entry.own + 1] = value
    end
  end
  return entry
end

local cache = make_cache()
on_change = function() cache = make_cache() end

local function find_entry(customer)
  local entry = cache.older[customer] or add_published({}, view_of(views, customer), customer)
  return remember(cache, customer, entry, 0)
end

function envoy_on_request(handle)
  keep_fresh(handle)
  if not views then return end
  local customer = handle:headers():get(SETTINGS.customer_header) or ""
  publish(handle:streamInfo():dynamicMetadata(), cache.recent[customer] or find_entry(customer))
end
