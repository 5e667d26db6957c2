-- runtime_bridge: copies this request's shuffle-sharding values from Envoy's runtime into the dynamic metadata
-- namespace `envoy.runtime`, where shuffle_shard.lua (or any other filter) reads them. See docs/envoy.md.
--
-- Lua has no call that reads the runtime, so this asks Envoy's own admin interface through a cluster. It asks at most
-- once per refresh interval and worker: first for one counter, which costs the same whatever the runtime holds, and
-- for the runtime itself only when that counter has moved. Requests meanwhile use what the worker read last.

local SETTINGS = {
  customer_header = "x-customer-id",
  admin_cluster = "envoy_admin",
  refresh_ms = 500, -- how old values may get while requests arrive
  check_timeout_ms = 1000, -- for the counter
  read_timeout_ms = 5000, -- for the runtime: 100,000 keys take 1.5 s
  max_backoff_ms = 30000, -- between attempts while they fail
}

local NAMESPACE = "envoy.runtime"
local PREFIX = "shuffle_sharding."
local CUSTOMER = PREFIX .. "customer."
local SUFFIX = ".shard_size"
local SHARED = { PREFIX .. "total_hosts", PREFIX .. "default_shard_size", PREFIX .. "hosts", PREFIX .. "version" }
local NUMERIC = { [SHARED[1]] = true, [SHARED[2]] = true }
-- Every load of the runtime counts, be it a push or an operator's /runtime_modify. `usedonly` makes it cheap.
local CHECK_PATH = "/stats?usedonly&type=Counters&filter=%5Eruntime%5C.load_success%24"

-- This worker's state: Lua shares nothing between workers.
local values -- {shared = {key, value, ...}, customers = {[id] = size}}, nil before the first read
local stamp -- what the counter said before `values` was read
local due_ms = 0 -- when to look again
local busy_until_ms = 0 -- a request is looking; should its client cut it off, another looks from then on
local failures = 0 -- in a row

local byte, find, gsub, sub = string.byte, string.find, string.gsub, string.sub
local char, floor, min = string.char, math.floor, math.min
local QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY = byte('"\\{}[]', 1, 6)

local function utf8(code)
  if code < 0x80 then return char(code) end
  local last = 0x80 + code % 64
  if code < 0x800 then return char(0xC0 + floor(code / 64), last) end
  local middle = 0x80 + floor(code / 64) % 64
  if code < 0x10000 then return char(0xE0 + floor(code / 4096), middle, last) end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, middle, last)
end

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

-- A JSON string's inside as the bytes that it means. A surrogate without its partner is U+FFFD.
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

-- Position of the quote that ends the string whose inside starts at `at`, or nil.
local function string_end(body, at)
  while true do
    local i = find(body, '["\\]', at)
    if not i or byte(body, i) == QUOTE then return i end
    at = i + 2
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

local function finite(text)
  local number = tonumber(text)
  return number and number - number == 0 and number or nil
end

local function keep(found, key, value)
  if sub(key, 1, #CUSTOMER) == CUSTOMER and sub(key, -#SUFFIX) == SUFFIX then
    found.customers[sub(key, #CUSTOMER + 1, -#SUFFIX - 1)] = finite(value)
  else
    found.by_key[key] = NUMERIC[key] and finite(value) or not NUMERIC[key] and value or nil
  end
end

-- What the admin's /runtime says of shuffle sharding, or nil when it is not such an answer.
-- A quote with no backslash before it, followed by our prefix, starts a string; one that `: {` follows is an entry's key.
local function parse(body)
  if not find(body, '"entries"', 1, true) or not find(body, "}%s*$", -16) then return nil end
  local found = { by_key = {}, customers = {} }
  local at = 1
  while true do
    local from = find(body, '"' .. PREFIX, at, true)
    if not from then break end
    local stop = string_end(body, from + 1)
    local _, open = find(body, "^%s*:%s*{", (stop or #body) + 1)
    at = from + 1
    if open and byte(body, from - 1) ~= BACKSLASH then
      local value, value_end = final_value(body, open + 1)
      if not value then return nil end
      keep(found, unescape(sub(body, from + 1, stop - 1)), value)
      at = value_end
    end
  end
  local shared = {}
  for _, key in ipairs(SHARED) do
    if found.by_key[key] then
      shared[#shared + 1] = key
      shared[#shared + 1] = found.by_key[key]
    end
  end
  return { shared = shared, customers = found.customers }
end

-- The body of an admin page ("" when there is none), or nil and what went wrong.
local function get(handle, path, timeout_ms)
  local request = { [":method"] = "GET", [":path"] = path, [":authority"] = "admin" }
  local ok, headers, body = pcall(handle.httpCall, handle, SETTINGS.admin_cluster, request, nil, timeout_ms)
  if not ok then return nil, tostring(headers) end
  if headers[":status"] ~= "200" then return nil, "status " .. tostring(headers[":status"]) end
  return body or ""
end

-- As get, for the one request that reads for all of this worker's.
local function ask(handle, path, timeout_ms)
  busy_until_ms = handle:timestamp() + timeout_ms
  return get(handle, path, timeout_ms)
end

-- Brings `values` up to date. Returns nothing, or what went wrong.
local function read(handle)
  local now_stamp, problem = ask(handle, CHECK_PATH, SETTINGS.check_timeout_ms)
  if not now_stamp then return problem end
  -- an empty answer means that this Envoy's stats_config leaves the counter out: then always read
  if values and now_stamp ~= "" and now_stamp == stamp then return nil end
  local body
  body, problem = ask(handle, "/runtime", SETTINGS.read_timeout_ms)
  if not body then return problem end
  local parsed = parse(body)
  if not parsed then return "an answer that is not a runtime" end
  values, stamp = parsed, now_stamp
  return nil
end

-- Counts in http.<prefix>.lua.[<stat_prefix>.]read_failures from Envoy 1.38 on; the log has it on all.
local function failed(handle, problem)
  failures = failures + 1
  if handle.stats then handle:stats():counter("read_failures"):inc(1) end
  local wait_ms = min(SETTINGS.refresh_ms * 2 ^ failures, SETTINGS.max_backoff_ms)
  local held = values and "keeping the last values" or "there are no values yet"
  local message = "runtime_bridge: cannot read the runtime through cluster %s (%s); %s, trying again in %d ms"
  handle:logWarn(message:format(SETTINGS.admin_cluster, problem, held, wait_ms))
  return wait_ms
end

local function refresh(handle)
  local ok, problem = pcall(read, handle)
  local wait_ms = SETTINGS.refresh_ms
  if ok and not problem then failures = 0 else wait_ms = failed(handle, tostring(problem)) end
  due_ms = handle:timestamp() + wait_ms
  busy_until_ms = 0
end

-- Whether a moment lies ahead; one that is further ahead than it was ever put means that the clock was set back.
local function is_ahead(moment_ms, now_ms, most_ms)
  return moment_ms > now_ms and moment_ms - now_ms <= most_ms
end

local function is_busy(now_ms)
  return is_ahead(busy_until_ms, now_ms, SETTINGS.read_timeout_ms)
end

local function publish(handle)
  local metadata = handle:streamInfo():dynamicMetadata()
  local shared = values.shared
  for i = 1, #shared, 2 do metadata:set(NAMESPACE, shared[i], shared[i + 1]) end
  local customer = handle:headers():get(SETTINGS.customer_header)
  local size = customer and values.customers[customer]
  if size then metadata:set(NAMESPACE, CUSTOMER .. customer .. SUFFIX, size) end
end

function envoy_on_request(handle)
  local now_ms = handle:timestamp()
  -- Until the first read is done, others wait for it. Lua has no timer: the admin answers one call after the other, so
  -- an answer from /ready takes as long as that read.
  while not values and is_busy(now_ms) and get(handle, "/ready", SETTINGS.read_timeout_ms) do
    now_ms = handle:timestamp()
  end
  if not is_busy(now_ms) and not is_ahead(due_ms, now_ms, SETTINGS.max_backoff_ms) then refresh(handle) end
  if values then publish(handle) end
end
