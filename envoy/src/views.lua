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
