-- Takes the session as many participants do at the same time. Each thread has
-- twice as many participants as connections, each somewhere else in the session,
-- so a request of one of them is seldom sent before the last has its response.
local lanes, turn, born = 64, 0, 0
local at, who = {}, {}
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("seed", threads)
end

local function participant()
  born = born + 1
  return string.format("%08x-0000-4000-8000-%012x", seed, born)
end

function init()
  for lane = 0, lanes - 1 do
    at[lane] = math.floor(lane * #steps / lanes)
    who[lane] = participant()
  end
end

function request()
  local lane = turn % lanes
  turn = turn + 1
  at[lane] = at[lane] + 1
  if at[lane] > #steps then
    at[lane] = 1
    who[lane] = participant()
  end
  return table.concat(steps[at[lane]], who[lane])
end
