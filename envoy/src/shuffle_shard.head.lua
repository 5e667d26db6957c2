-- shuffle_shard: gives each customer its own few hosts, by nothing but the values in the dynamic metadata namespace
-- `envoy.runtime`. See docs/envoy.md.
--
-- With shuffle_sharding.hosts it leaves an ordered list "ip:port,ip:port" in metadata `shard`, key `hosts`, for a
-- cluster with the override_host load balancing policy. Without, it names a cluster in `x-target-cluster`.

local NAME = "shuffle_shard"
local SETTINGS = {
  total_hosts = 8, -- when the runtime has no value, or one that can't be right
  default_shard_size = 2,
  max_hosts = 4096, -- more can't be right, as in schemas/shard-config.schema.json
  max_shard_size = 1024,
  max_customer_bytes = 256,
  max_candidates = 16, -- hosts that one request may try
  cache_slots = 65536, -- bound of the cache, in slots of cached shards (see remember)
  customer_header = "x-customer-id",
  assignment_header = "x-shard-assignment",
  config_header = "x-shard-config",
  version_header = "x-shard-version",
  target_header = "x-target-cluster",
  target_prefix = "backend_",
  dropped_headers = { "x-envoy-original-dst-host" }, -- besides the four above, when a client sends them
}
