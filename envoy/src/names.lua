-- Names of runtime keys, as in src/release/runtime-keys.ts.
local RUNTIME = "envoy.runtime" -- the metadata namespace
local PREFIX = "shuffle_sharding."
local NEXT = "next."
local CUSTOMER, SUFFIX = "customer.", ".shard_size"

local byte, char, find, format = string.byte, string.char, string.find, string.format
local gmatch, gsub, match, sub = string.gmatch, string.gsub, string.match, string.sub
local concat, floor, min, sort = table.concat, math.floor, math.min, table.sort
