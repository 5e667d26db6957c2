-- The runtime's values as one or two views: the current one, and the next one, which some customers use already.

local VIEW_FIELDS = { "total_hosts", "default_shard_size", "hosts", "drain", "version" }
local FIELDS = { total_hosts = 1, default_shard_size = 1, hosts = 1, drain = 1, version = 1, sizes = 1, cutover = 1, first = 1 }
local CUTOVER = 0x6375746f

-- Collects the entries of a response.
local function make_layer()
  local layer = { current = { customers = {} }, next = { customers = {} }, has_next = false }
  layer.keep = function(key, value)
    local part, least, name = layer.current, 1, key
    if sub(key, 1, #NEXT) == NEXT then
      part, least, name = layer.next, 0, sub(key, #NEXT + 1)
      layer.has_next = true
    end
    if FIELDS[name] then
      part[name] = value
    elseif sub(name, 1, #CUSTOMER) == CUSTOMER and sub(name, -#SUFFIX) == SUFFIX then
      local size = count_of(value, least, SETTINGS.max_shard_size)
      if not size then part.problem = "customer.*" .. SUFFIX end
      part.customers[sub(name, #CUSTOMER + 1, -#SUFFIX - 1)] = size
    end
  end
  return layer
end

-- What is wrong with a part, besides its view.
local function part_problem(part, least)
  if part.sizes and not is_packed(part.sizes, least) then
    part.sizes = nil
    return "sizes"
  end
  return part.problem
end

-- The part of the next view; what it leaves out is as in the current one.
local function overlay(part, current)
  local pushed = { customers = part.customers, sizes = part.sizes, base = current }
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
  return part_problem(part, 0)
end

-- Both views of a layer. `problem` names what can't be used; there is no next view then.
local function make_views(layer)
  local current = make_view(layer.current)
  local views = { current = current, problem = current.problem or part_problem(layer.current, 1) }
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

-- A part's own size of a customer, or nil. A key comes before the packed list: /runtime_modify can set one.
local function pushed_size(part, customer, least)
  local size = part.customers[customer]
  if size or not part.sizes then return size end
  return count_of(find_packed(part.sizes, customer), least, SETTINGS.max_shard_size)
end

-- The size that a view sets for a customer by name; nil: the default.
local function own_size(view, customer)
  local base = view.pushed.base
  if not base then return pushed_size(view.pushed, customer, 1) end
  local size = pushed_size(view.pushed, customer, 0)
  if size == 0 then return nil end
  return size or pushed_size(base, customer, 1)
end
