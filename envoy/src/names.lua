-- Names of runtime keys, as in src/release/runtime-keys.ts.
local RUNTIME = "envoy.runtime" -- the metadata namespace
local PREFIX = "shuffle_sharding."
local NEXT = "next."
local CUSTOMER = "customer."

-- What a customer may have of its own, by the end of its key: the key of the packed list of all customers' values, and their
-- bounds. 0 is none: it takes back in the next view what the current one has.
local OWN_NAMES = { "shard_size", "deal", "quarantine" }
local OWN = {
  shard_size = { list = "sizes", least = 1, most = SETTINGS.max_shard_size },
  deal = { list = "deals", least = 1, most = 99999 },
  quarantine = { list = "quarantined", least = 0, most = 1 },
}

local byte, char, find, format = string.byte, string.char, string.find, string.format
local gmatch, gsub, match, sub = string.gmatch, string.gsub, string.match, string.sub
local concat, floor, min, sort = table.concat, math.floor, math.min, table.sort
