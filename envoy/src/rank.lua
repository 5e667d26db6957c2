local SLOT_RANGE = 2 ^ 20 -- a score and its slot share one double: 32 + 20 bits

-- A number that orders slots as rendezvous hashing does: by score, ties to the lower slot.
local function weigh(a, c, slot)
  local score = fmix32(tobit(fmix32(bxor(a, fmix32(slot + 1))) + c))
  return score % 4294967296 * SLOT_RANGE + (SLOT_RANGE - 1 - slot)
end

-- Restores the heap (least first) below `i`.
local function sift_down(heap, i, size)
  local item = heap[i]
  while true do
    local child = 2 * i
    if child > size then break end
    if child < size and heap[child + 1] < heap[child] then child = child + 1 end
    if heap[child] >= item then break end
    heap[i] = heap[child]
    i = child
  end
  heap[i] = item
end

-- The `size` best of a pool's slots for a text, best first, without drained ones; at most pool.free of them.
-- The same as assignShard in src/shard/assign.ts.
local function rank(text, pool, size)
  local a, c = murmur3_32(text, 0), murmur3_32(text, 0x9747b28c)
  local drained, best, count, slot = pool.drained, {}, 0, 0
  while count < size do
    if not drained[slot] then
      count = count + 1
      best[count] = weigh(a, c, slot)
    end
    slot = slot + 1
  end
  for i = floor(size / 2), 1, -1 do sift_down(best, i, size) end
  for rest = slot, pool.total - 1 do
    local weight = weigh(a, c, rest)
    if weight > best[1] and not drained[rest] then
      best[1] = weight
      sift_down(best, 1, size)
    end
  end
  sort(best)
  local slots = {}
  for i = size, 1, -1 do slots[size - i + 1] = SLOT_RANGE - 1 - best[i] % SLOT_RANGE end
  return slots
end
