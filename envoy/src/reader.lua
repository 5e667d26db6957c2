-- Envoy counts every load of the runtime, be it a push or an operator's /runtime_modify. `usedonly` makes the query cheap.
local CHECK_PATH = "/stats?usedonly&type=Counters&filter=%5Eruntime%5C.load_success%24"

-- This worker's state: Lua shares nothing between workers.
local views -- nil before the first read
local is_good = false -- whether all of them could be used
local stamp -- the counter's value before they were read
local due_ms = 0 -- when to check again
local busy_until_ms = 0 -- a request is reading; if its client disconnects, another may read from then on
local failures = 0 -- consecutive
local on_change = function() end -- called when the views have changed

-- The body of an admin page ("" when it is empty), or nil and an error.
local function get(handle, path, timeout_ms)
  local request = { [":method"] = "GET", [":path"] = path, [":authority"] = "admin" }
  local ok, headers, body = pcall(handle.httpCall, handle, SETTINGS.admin_cluster, request, nil, timeout_ms)
  if not ok then return nil, tostring(headers) end
  if headers[":status"] ~= "200" then return nil, "status " .. tostring(headers[":status"]) end
  return body or ""
end

-- As get, for the request that reads on behalf of all of this worker's requests.
local function ask(handle, path, timeout_ms)
  busy_until_ms = handle:timestamp() + timeout_ms
  return get(handle, path, timeout_ms)
end

-- Applies the layer whole or not at all: one that can't be used leaves the last good views in place. Only a worker without
-- any applies what it can use, with defaults for the rest.
local function take_over(handle, layer)
  local made = make_views(layer)
  local problem = made.problem or is_good and lacks(made.current, views.current)
  if problem then report_unusable(handle, problem, read_version(layer.current.version) or "unknown", is_good) end
  if problem and is_good then return end
  views, is_good = made, not problem and made.current.pushed.total_hosts ~= nil
  on_change()
end

-- Brings `views` up to date. Returns nothing, or an error.
local function read(handle)
  local now_stamp, problem = ask(handle, CHECK_PATH, SETTINGS.check_timeout_ms)
  if not now_stamp then return problem end
  -- an empty response means that this Envoy's stats_config excludes the counter: then always read
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

-- Whether a time is in the future. One that is further ahead than we ever set means that the clock was set back.
local function is_ahead(moment_ms, now_ms, most_ms)
  return moment_ms > now_ms and moment_ms - now_ms <= most_ms
end

local function is_busy(now_ms)
  return is_ahead(busy_until_ms, now_ms, SETTINGS.read_timeout_ms)
end

-- Makes sure that `views` are no older than refresh_ms, if reading them works. May yield: whatever was obtained from the
-- handle before must be obtained again.
local function keep_fresh(handle)
  local now_ms = handle:timestamp()
  if views and is_ahead(due_ms, now_ms, SETTINGS.max_backoff_ms) then return end
  -- Until the first read is done, others wait for it. Lua has no timer, but the admin answers one call at a time, so
  -- a call of /ready takes until that read is done.
  while not views and is_busy(now_ms) and get(handle, "/ready", SETTINGS.read_timeout_ms) do
    now_ms = handle:timestamp()
  end
  if not is_busy(now_ms) and not is_ahead(due_ms, now_ms, SETTINGS.max_backoff_ms) then refresh(handle) end
end
