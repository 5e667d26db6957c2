-- runtime_bridge: copies this request's shuffle-sharding values from Envoy's runtime into the dynamic metadata
-- namespace `envoy.runtime`, where shuffle_shard.lua (or any other filter) reads them. See docs/envoy.md.
--
-- Lua can't read the runtime, so this asks Envoy's own admin interface through a cluster: at most once per refresh interval
-- and worker, first for one counter, and for the runtime itself only when that counter has changed. Requests meanwhile use
-- what the worker read last. Values that can't be used are never applied.

local NAME = "runtime_bridge"
local SETTINGS = {
  customer_header = "x-customer-id",
  admin_cluster = "envoy_admin",
  refresh_ms = 500, -- how old values may get while requests arrive
  check_timeout_ms = 1000, -- for the counter
  read_timeout_ms = 5000, -- for the runtime: 100,000 keys take 1.5 s
  max_backoff_ms = 30000, -- between attempts while they fail
  total_hosts = 8, -- while the runtime has no value: as in shuffle_shard.lua
  default_shard_size = 2,
  max_hosts = 4096, -- more can't be right, as in schemas/shard-config.schema.json
  max_shard_size = 1024,
  cache_slots = 65536, -- bound of the cache: eight for each customer
}
