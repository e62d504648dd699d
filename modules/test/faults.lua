-- test.faults: a proxy that spoils connections at chosen bytes. Each direction of a connection is a pump, a task: it
-- passes bytes on until the next step of the plan, takes that step, and goes on. What happens depends on how many bytes
-- have passed, never on time or on how they came in.
local core, test = ...
local busted = core.busted
local error, ipairs, next, setmetatable, tostring, type = error, ipairs, next, setmetatable, tostring, type
local huge, min, sort = math.huge, math.min, table.sort
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"

local proxy = {}
local steps = {}
local DIRECTIONS = { up = true, down = true }

-- ---- the plan -------------------------------------------------------------------------------------------------------

-- What each fault takes.
local values = {
  delay = function(value) return type(value) == "number" and value >= 0 end,
  lose = function(value) return value == true or type(value) == "number" and value > 0 end,
  split = function(value) return value == true end,
}
values.finish, values.reset = values.split, values.split

local function check_step(step, level)
  local function bad(text, ...) error(text:format(...), level + 2) end
  if type(step) ~= "table" then bad("a step of a plan is a table, not a %s", type(step)) end
  local at, action = step.at, nil
  if type(at) ~= "number" or at < 0 then bad("a step of a plan has 'at', how many bytes have passed before it") end
  for key, value in next, step do
    if key ~= "at" then
      if not values[key] then bad("unknown fault '%s'", tostring(key)) end
      if not values[key](value) then bad("bad value of the fault '%s'", key) end
      if action then bad("two faults in one step") end
      action = key
    end
  end
  if not action then bad("a step of a plan has a fault: delay, finish, lose, reset or split") end
  return { at = at, action = action, value = step[action] }
end

-- Sorted by their bytes; those at the same byte stay in order.
local function check_direction(list, level)
  local checked = {}
  for i, step in ipairs(list) do
    checked[i] = check_step(step, level + 1)
    checked[i].number = i
  end
  sort(checked, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.number < b.number
  end)
  return checked
end

local function check_plan(plan, level)
  if plan == nil then plan = {} end
  if type(plan) ~= "table" then error(("a plan is a table, not a %s"):format(type(plan)), level + 1) end
  for key in next, plan do
    if not DIRECTIONS[key] then error(("a plan has no '%s', it has up and down"):format(key), level + 1) end
  end
  return { up = check_direction(plan.up or {}, level + 1), down = check_direction(plan.down or {}, level + 1) }
end

-- ---- the steps: true ends the pump ----------------------------------------------------------------------------------

-- The other pump, or the spec, may have closed one of them while this one waited.
local function is_over(pump)
  return pump.from.closed or pump.to.closed
end

-- What has been written is with its reader, if that is in this process and reads.
local function settle()
  timer.sleep(0)
  timer.sleep(0)
end

function steps.split()
  settle()
end

function steps.delay(_, seconds)
  timer.sleep(seconds)
end

function steps.lose(pump, count)
  pump.losing = count == true and huge or count
end

-- The reader sees an end, the other direction goes on; what still comes is lost.
function steps.finish(pump)
  settle()
  if is_over(pump) then return true end
  pump.to:shutdown()
  pump.losing = huge
end

function steps.reset(pump)
  settle()
  if not pump.to.closed then pump.to:reset() end
  if not pump.from.closed then pump.from:reset() end
  return true
end

-- ---- the pump -------------------------------------------------------------------------------------------------------

-- Takes the steps that are due. True: it is over.
local function take_steps(pump)
  local step = pump.plan[pump.next]
  while step and step.at <= pump.passed do
    pump.next = pump.next + 1
    if steps[step.action](pump, step.value) then return true end
    step = pump.plan[pump.next]
  end
end

-- How many of so many bytes go the same way.
local function measure(pump, count)
  local step = pump.plan[pump.next]
  if step then count = min(count, step.at - pump.passed) end
  if pump.losing > 0 then count = min(count, pump.losing) end
  return count // 1 | 0
end

local function pass(pump, chunk)
  local at = 1
  while at <= #chunk do
    local count = measure(pump, #chunk - at + 1)
    if is_over(pump) then
      return true
    elseif pump.losing > 0 then
      pump.losing = pump.losing - count
    elseif not pump.to:write(chunk:sub(at, at + count - 1)) then
      return true
    end
    at = at + count
    pump.passed = pump.passed + count
    if take_steps(pump) then return true end
  end
end

local function run(pump)
  if take_steps(pump) then return end
  while not is_over(pump) do
    local chunk, message = pump.from:read()
    if is_over(pump) then return end
    if message then return pump.to:reset() end
    if not chunk then
      if pump.losing ~= huge then pump.to:shutdown() end
      return
    end
    if pass(pump, chunk) then return end
  end
end

-- ---- the proxy ------------------------------------------------------------------------------------------------------

-- Both pumps of a connection.
local function serve(self, near)
  local number = #self.connections + 1
  self.connections[number] = near
  local plan = self.plan
  if type(plan) == "function" then plan = check_plan(plan(number), 1) end
  local far <close>, message = net.connect(self.target)
  if not far then
    self.failure = message
    near:reset()
    return
  end
  self.connections[number] = far
  local function pump(from, to, steps_of)
    return { from = from, to = to, plan = steps_of, next = 1, passed = 0, losing = 0 }
  end
  neap.group(function(group)
    group:go(run, pump(near, far, plan.up))
    group:go(run, pump(far, near, plan.down))
  end)
end

function proxy:connect(options)
  return self.server:connect(options)
end

function proxy:close()
  self.server:close()
  for _, conn in ipairs(self.connections) do
    if not conn.closed then conn:reset() end
  end
end

busted.class("neap.test.faults", proxy)

return function(address, plan)
  if type(address) ~= "string" then
    error(("bad argument #1 to 'faults' (string expected, got %s)"):format(type(address)), 2)
  end
  if type(plan) ~= "function" then plan = check_plan(plan, 2) end
  local self = setmetatable({ target = address, plan = plan, connections = {} }, proxy)
  self.server = test.server(function(near) return serve(self, near) end)
  self.address = self.server.address
  return busted.close_after(self)
end
