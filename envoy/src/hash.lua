local bit = require("bit")
local band, bxor, lshift, rol, rshift, tobit = bit.band, bit.bxor, bit.lshift, bit.rol, bit.rshift, bit.tobit

-- The low 32 bits of a product, in halves: a double is exact only up to 2^53.
local function multiply(a, b)
  return tobit(tobit(band(a, 0xffff) * b) + lshift(tobit(rshift(a, 16) * b), 16))
end

local function fmix32(h)
  h = multiply(bxor(h, rshift(h, 16)), 0x85ebca6b)
  h = multiply(bxor(h, rshift(h, 13)), 0xc2b2ae35)
  return bxor(h, rshift(h, 16))
end

local function mix_block(k)
  return multiply(rol(multiply(k, 0xcc9e2d51), 15), 0x1b873593)
end

-- MurmurHash3 x86_32 of a string.
local function murmur3_32(text, seed)
  local h, size = tobit(seed), #text
  local blocks = size - size % 4
  for i = 1, blocks, 4 do
    local a, b, c, d = byte(text, i, i + 3)
    h = bxor(h, mix_block(a + lshift(b, 8) + lshift(c, 16) + lshift(d, 24)))
    h = tobit(rol(h, 13) * 5 + 0xe6546b64)
  end
  local a, b, c = byte(text, blocks + 1, size)
  if a then h = bxor(h, mix_block(a + lshift(b or 0, 8) + lshift(c or 0, 16))) end
  return fmix32(bxor(h, size))
end
