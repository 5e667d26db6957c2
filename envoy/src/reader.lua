-- Every load of the runtime counts, be it a push or an operator's /runtime_modify. `usedonly` makes it cheap.
local CHECK_PATH = "/stats?usedonly&type=Counters&filter=%5Eruntime%5C.load_success%24"

-- This worker's state: Lua shares nothing between workers.
local views -- nil before the first read
local is_good = false -- whether they came whole
local stamp -- what the counter said before they were read
local due_ms = 0 -- when to look again
local busy_until_ms = 0 -- a request is looking; should its client cut it off, another looks from then on
local failures = 0 -- in a row
local on_change = function() end -- what to do when there are other views

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

-- Takes the layer over whole, or not at all: what can't be used leaves the last good views in place. Only a worker that
-- never had any takes what it can use of it, with defaults for the rest.
local function take_over(handle, layer)
  local made = make_views(layer)
  local problem = made.problem or is_good and lacks(made.current, views.current)
  if problem then report_unusable(handle, problem, read_version(layer.current.version) or "unknown", is_good) end
  if problem and is_good then return end
  views, is_good = made, not problem and made.current.pushed.total_hosts ~= nil
  on_change()
end

-- Brings `views` up to date. Returns nothing, or what went wrong.
local function read(handle)
  local now_stamp, problem = ask(handle, CHECK_PATH, SETTINGS.check_timeout_ms)
  if not now_stamp then return problem end
  -- an empty answer means that this Envoy's stats_config leaves the counter out: then always read
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

-- Whether a moment lies ahead; one that is further ahead than it was ever put means that the clock was set back.
local function is_ahead(moment_ms, now_ms, most_ms)
  return moment_ms > now_ms and moment_ms - now_ms <= most_ms
end

local function is_busy(now_ms)
  return is_ahead(busy_until_ms, now_ms, SETTINGS.read_timeout_ms)
end

-- Sees to it that `views` are no older than refresh_ms, as far as reading them works. May yield: what was got from the
-- handle before must be got again.
local function keep_fresh(handle)
  local now_ms = handle:timestamp()
  if views and is_ahead(due_ms, now_ms, SETTINGS.max_backoff_ms) then return end
  -- Until the first read is done, others wait for it. Lua has no timer: the admin answers one call after the other, so
  -- an answer from /ready takes as long as that read.
  while not views and is_busy(now_ms) and get(handle, "/ready", SETTINGS.read_timeout_ms) do
    now_ms = handle:timestamp()
  end
  if not is_busy(now_ms) and not is_ahead(due_ms, now_ms, SETTINGS.max_backoff_ms) then refresh(handle) end
end
