local QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY = byte('"\\{}[]', 1, 6)
local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local function utf8(code)
  if code < 0x80 then return char(code) end
  local last = 0x80 + code % 64
  if code < 0x800 then return char(0xC0 + floor(code / 64), last) end
  local middle = 0x80 + floor(code / 64) % 64
  if code < 0x10000 then return char(0xE0 + floor(code / 4096), middle, last) end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, middle, last)
end

-- Unescapes the inside of a JSON string. A lone surrogate becomes U+FFFD.
local function unescape(text)
  if not find(text, "\\", 1, true) then return text end
  local high
  return (gsub(text, "\\(.)(%x?%x?%x?%x?)", function(kind, digits)
    if kind ~= "u" then return (ESCAPES[kind] or kind) .. digits end
    local code = tonumber(digits, 16)
    if code >= 0xD800 and code < 0xDC00 then
      high = code
      return ""
    end
    if code >= 0xDC00 and code < 0xE000 then
      code = high and 0x10000 + (high - 0xD800) * 1024 + (code - 0xDC00) or 0xFFFD
    end
    high = nil
    return utf8(code)
  end))
end

-- Position of the quote that ends the string whose inside starts at `from`, or nil: the first one after an even number of
-- backslashes. (Plain searches, because a packed list is megabytes long.)
local function string_end(body, from)
  local at = from
  while true do
    local quote = find(body, '"', at, true)
    if not quote then return nil end
    local before = quote - 1
    while before >= from and byte(body, before) == BACKSLASH do before = before - 1 end
    if (quote - before) % 2 == 1 then return quote end
    at = quote + 1
  end
end

-- Position of the comma or bracket that follows the JSON value at `at`, or nil.
local function after_value(body, at)
  local depth = 0
  while true do
    local i = find(body, '["%[%]{},]', at)
    if not i then return nil end
    local c = byte(body, i)
    if c == QUOTE then
      i = string_end(body, i + 1)
      if not i then return nil end
    elseif c == OPEN or c == OPEN_ARRAY then
      depth = depth + 1
    elseif depth == 0 then
      return i
    elseif c == CLOSE or c == CLOSE_ARRAY then
      depth = depth - 1
    end
    at = i + 1
  end
end

-- The `final_value` of the entry whose members start at `at` (in any order), and where that string ends; nil when malformed.
local function final_value(body, at)
  while true do
    local _, colon, name = find(body, '^%s*"([%w_]+)"%s*:%s*', at)
    if not colon then return nil end
    if name == "final_value" then
      local stop = byte(body, colon + 1) == QUOTE and string_end(body, colon + 2)
      return stop and unescape(sub(body, colon + 2, stop - 1)), stop
    end
    local stop = after_value(body, colon + 1)
    if not stop or byte(body, stop) == CLOSE then return nil end
    at = stop + 1
  end
end

-- Calls `keep(key, value)` for each of our keys, without the prefix, in a response of the admin's /runtime. Returns false when
-- it is not such a response. An unescaped quote followed by our prefix starts a string; if `: {` comes after that, it is an
-- entry's key.
local function each_entry(body, keep)
  if not find(body, '"entries"', 1, true) or not find(body, "}%s*$", -16) then return false end
  local at = 1
  while true do
    local from = find(body, '"' .. PREFIX, at, true)
    if not from then return true end
    local stop = string_end(body, from + 1)
    local _, open = find(body, "^%s*:%s*{", (stop or #body) + 1)
    at = from + 1
    if open and byte(body, from - 1) ~= BACKSLASH then
      local value, value_end = final_value(body, open + 1)
      if not value then return false end
      keep(sub(unescape(sub(body, from + 1, stop - 1)), #PREFIX + 1), value)
      at = value_end
    end
  end
end
