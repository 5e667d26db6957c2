-- Lists of customers in one string: ",id=3,other=5," and ",id,other,".

local COMMA = byte(",")

-- Encodes an id for such a list.
local function encode_id(id)
  if not find(id, '[%%,="\\%c\128-\255]') then return id end
  return (gsub(id, '[%%,="\\%c\128-\255]', function(c) return format("%%%02X", byte(c)) end))
end

local function is_list(text)
  return text == "" or byte(text, 1) == COMMA and byte(text, -1) == COMMA
end

-- The entry after the comma at `at`: its id, its value, the next comma. The id is nil when the entry is malformed.
local function entry_at(text, at)
  local stop = find(text, ",", at + 1, true)
  local equals = find(text, "=", at + 1, true)
  if not equals or equals > stop then return nil, nil, stop end
  return sub(text, at + 1, equals - 1), sub(text, equals + 1, stop - 1), stop
end

-- Looks up an id in a packed list that is sorted by the bytes of the encoded ids; nil when it is not there. A binary search
-- over positions, without parsing the list. A malformed entry is less than every id.
local function find_packed(text, id)
  local wanted = encode_id(id)
  local low, high = 1, #text -- entries before `low` are less than the id, those whose comma is at `high` or later are not
  while low < high do
    local middle = floor((low + high) / 2)
    local comma = find(text, ",", middle, true)
    if comma >= high then
      high = middle
    else
      local name, value, stop = entry_at(text, comma)
      if name == wanted then return value end
      if name and name > wanted then high = comma else low = stop end
    end
  end
  return nil
end

-- Whether it looks like a sorted packed list: checks the ends and some entries in between. (All would take as long as parsing,
-- and each is checked again when it is looked up.)
local function is_packed(text, least, most)
  if not is_list(text) then return false end
  local before = ""
  for part = 0, 31 do
    local comma = find(text, ",", 1 + floor((#text - 1) * part / 32), true)
    if not comma or comma == #text then break end
    local name, value = entry_at(text, comma)
    if not name or name < before or not count_of(value, least, most) then return false end
    before = name
  end
  return true
end
