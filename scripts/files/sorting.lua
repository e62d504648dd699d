-- Sorts long lists without holding up the loop: table.sort cannot wait, so it gets short runs, and they are merged with
-- a pause now and then. Equal elements may change places.
local timer = require "neap.timer"

local RUN, TURN = 200, 500 -- elements: that table.sort gets; that are merged until others have their turn

local function sort_runs(list, before)
  for first = 1, #list, RUN do
    local run = table.move(list, first, math.min(first + RUN - 1, #list), 1, {})
    table.sort(run, before)
    table.move(run, 1, #run, first, list)
    timer.sleep(0)
  end
end

-- from[first..middle] and from[middle+1..last], into the same places of `to`.
local function merge(from, to, first, middle, last, before)
  local left, right = first, middle + 1
  for at = first, last do
    if right > last or left <= middle and not before(from[right], from[left]) then
      to[at], left = from[left], left + 1
    else
      to[at], right = from[right], right + 1
    end
    if at % TURN == 0 then timer.sleep(0) end
  end
end

-- The elements of a list in order, as a list of its own. Nobody else may change it meanwhile.
return function(list, before)
  local count = #list
  list = table.move(list, 1, count, 1, {})
  if count <= RUN then
    table.sort(list, before)
    return list
  end
  sort_runs(list, before)
  local width, other = RUN, {}
  while width < count do
    for first = 1, count, 2 * width do
      merge(list, other, first, math.min(first + width - 1, count), math.min(first + 2 * width - 1, count), before)
    end
    list, other, width = other, list, 2 * width
  end
  return list
end
