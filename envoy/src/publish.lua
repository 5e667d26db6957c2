local NUMERIC = { total_hosts = true, default_shard_size = true }

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

-- `entry`: the customer's cache entry; `published`: its view's keys; and its own size, if any.
local function publish(metadata, entry)
  local published = entry.published
  for i = 1, #published, 2 do metadata:set(RUNTIME, published[i], published[i + 1]) end
  if entry.own then metadata:set(RUNTIME, entry.own_key, entry.own) end
end

local function add_published(entry, view, customer)
  view.published = view.published or list_published(view)
  entry.published = view.published
  entry.own = own_size(view, customer)
  entry.own_key = PREFIX .. CUSTOMER .. customer .. SUFFIX
  return entry
end
