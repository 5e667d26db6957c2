local cache = make_cache()
on_change = function() cache = make_cache() end
local defaults = make_views(make_layer()) -- until something could be read

local function find_shard(customer)
  local shard = cache.older[customer]
  if not shard then
    local view = view_of(views or defaults, customer)
    local pool = pool_of(view, own_value(view, "quarantine", customer))
    local size = min(own_value(view, "shard_size", customer) or view.size, pool.free)
    shard = make_shard(view, pool, text_of(customer, own_value(view, "deal", customer)), size)
    if SETTINGS.publish then add_published(shard, view, customer) end
  end
  return remember(cache, customer, shard, shard.size)
end

function envoy_on_request(handle)
  keep_fresh(handle)
  local headers = handle:headers()
  drop(headers)
  local customer = headers:get(SETTINGS.customer_header)
  local code, words = fault(headers, customer)
  if code then return refuse(handle, code, words) end
  local shard = cache.recent[customer] or find_shard(customer)
  local metadata = handle:streamInfo():dynamicMetadata()
  if SETTINGS.publish then publish(metadata, shard) end
  direct(shard, headers, metadata)
end
