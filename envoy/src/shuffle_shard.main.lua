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
