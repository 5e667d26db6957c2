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
