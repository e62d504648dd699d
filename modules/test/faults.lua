-- test.faults: a proxy that spoils connections at chosen bytes. Each direction of a connection is a pump, a task: it
-- passes bytes on until the next step of the plan, takes that step, and goes on. What happens depends on how many bytes
-- have passed, never on time or on how they came in.
local core, test = ...
local busted = core.busted
local error, ipairs, next, setmetatable, type = error, ipairs, next, setmetatable, type
local huge, min, sort = math.huge, math.min, table.sort
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"

local proxy = {}
local steps = {}
local DIRECTIONS = { up = true, down = true }

-- ---- the plan -------------------------------------------------------------------------------------------------------

local function check_step(step, level)
  if type(step) ~= "table" then error("a step of a plan is a table", level + 1) end
  local at, action = step.at, nil
  if type(at) ~= "number" or at < 0 then error("a step of a plan has a field 'at': so many bytes have passed", level + 1) end
  for key, value in next, step do
    if key ~= "at" then
      if not steps[key] then error(("unknown fault '%s'"):format(key), level + 1) end
      if action then error(("two faults in one step: '%s' and '%s'"):format(action, key), level + 1) end
      if (key == "delay" or key == "lose") and value ~= true and type(value) ~= "number" or key == "delay" and value == true
        or value == false then
        error(("bad value of fault '%s'"):format(key), level + 1)
      end
      action = key
    end
  end
  if not action then error("a step of a plan has a fault: delay, split, lose, finish or reset", level + 1) end
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

-- ---- the steps: true ends the pump -----------------------------------------------------------------------------------

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
  pump.to:shutdown()
  pump.losing = huge
end

function steps.reset(pump)
  settle()
  pump.to:reset()
  pump.from:reset()
  return true
end

-- ---- the pump --------------------------------------------------------------------------------------------------------

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
    if pump.losing > 0 then
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
  while true do
    local chunk, message = pump.from:read()
    if pump.from.closed or pump.to.closed then return end
    if message then return pump.to:reset() end
    if not chunk then
      if pump.losing ~= huge then pump.to:shutdown() end
      return
    end
    if pass(pump, chunk) then return end
  end
end

-- ---- the proxy -------------------------------------------------------------------------------------------------------

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

busted.class("neap.faults", proxy)

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
