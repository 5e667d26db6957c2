-- shardplane: gives each customer its own few hosts, by the values in Envoy's runtime. See docs/envoy.md.
--
-- Lua can't read the runtime, so this asks Envoy's own admin interface through a cluster: at most once per refresh interval
-- and worker, first for one counter, and for the runtime itself only when that counter has changed. Requests meanwhile use
-- what the worker read last. Values that can't be used are never applied.
--
-- With shuffle_sharding.hosts it leaves an ordered list "ip:port,ip:port" in metadata `shard`, key `hosts`, for a
-- cluster with the override_host load balancing policy. Without, it names a cluster in `x-target-cluster`. The route
-- puts the x-shard-* headers on requests and responses, from the same metadata.

local NAME = "shardplane"
local SETTINGS = {
  publish = true, -- this request's values in metadata `envoy.runtime`, for your own filters; costs a little
  admin_cluster = "envoy_admin",
  refresh_ms = 500, -- how old values may get while requests arrive
  check_timeout_ms = 1000, -- for the counter
  read_timeout_ms = 5000, -- for the runtime
  max_backoff_ms = 30000, -- between attempts while they fail
  total_hosts = 8, -- while the runtime has no value
  default_shard_size = 2,
  max_hosts = 4096, -- more can't be right, as in schemas/shard-config.schema.json
  max_shard_size = 1024,
  max_customer_bytes = 256,
  max_candidates = 16, -- hosts that one request may try
  cache_slots = 65536, -- bound of the cache, in slots of cached shards (see remember)
  customer_header = "x-customer-id",
  target_header = "x-target-cluster",
  target_prefix = "backend_",
  dropped_headers = { "x-envoy-original-dst-host" }, -- besides those above, when a client sends them
}
