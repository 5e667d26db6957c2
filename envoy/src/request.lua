-- A client must not choose clusters or hosts.
local function drop(headers)
  headers:remove(SETTINGS.target_header)
  for _, name in ipairs(SETTINGS.dropped_headers) do headers:remove(name) end
end

-- What is wrong with a customer header, or nil.
local function fault(headers, customer)
  if not customer or customer == "" then return "customer_missing", "is missing" end
  if #customer > SETTINGS.max_customer_bytes then
    return "customer_too_long", "is longer than " .. SETTINGS.max_customer_bytes .. " bytes"
  end
  -- get() joins several lines with a comma
  if find(customer, ",", 1, true) and headers:getNumValues(SETTINGS.customer_header) > 1 then
    return "customer_repeated", "is there more than once"
  end
end

local function refuse(handle, code, words)
  local body = '{"error":"%s","message":"the header %s %s"}\n'
  handle:respond(
    { [":status"] = "400", ["content-type"] = "application/json" },
    format(body, code, SETTINGS.customer_header, words)
  )
end

-- Where the request goes: a list for the load balancing policy, or the name of a cluster.
local function direct(shard, headers, metadata)
  local start = start_of(shard, headers:get(":path") or "/")
  if shard.in_hosts_mode then
    metadata:set("shard", "hosts", shard.lists[start] or make_list(shard, start))
  else
    headers:add(SETTINGS.target_header, shard.targets[start])
  end
  metadata:set("shard", "assignment", shard.assignment)
  metadata:set("shard", "config", shard.config)
  metadata:set("shard", "version", shard.version)
end
