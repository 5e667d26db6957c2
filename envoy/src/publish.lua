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
