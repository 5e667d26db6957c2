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
