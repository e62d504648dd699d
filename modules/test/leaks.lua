-- test.leaks: what has begun since it was called and has not ended. What a spec has closed may still be on its way out:
-- so it waits for some turns of the loop, but only where something is left.
local core = ...
local busted = core.busted
local ipairs, setmetatable = ipairs, setmetatable
local clock, concat = os.clock, table.concat
local timer = require "neap.timer"

local SECONDS = 0.05 -- of the processor: time may be virtual, or stand still

local check = {}
local leak = {}

local verbs = { read = "in a read", join = "in a join", write = "in a write", sleep = "in a sleep" }

function leak:__tostring()
  if self.kind ~= "task" then return ("a %s of %s was left open"):format(self.kind, self.where or "?") end
  local text = ("a task (%s), started at %s, "):format(self.name, self.started or "?")
  if not self.waits then return text .. "was left running" end
  return ("%swaits %s at %s"):format(text, verbs[self.waits] or "for " .. self.waits, self.where or "?")
end

local function look(self)
  local list = core.leaks_list(self.bit, self.stopped)
  for _, one in ipairs(list) do setmetatable(one, leak) end
  return list
end

function check:list()
  if self.found then return self.found end
  local list, limit = look(self), clock() + SECONDS
  while #list > 0 and clock() < limit do
    timer.sleep(0)
    list = look(self)
  end
  return list
end

local function let_go(self)
  core.leaks_end(self.bit)
  if self.stopped then core.leaks_end(self.stopped) end
end

-- What is closed with its spec anyway is closed first: it is no leak.
function check:stop()
  if self.found or self.stopped then return end
  busted.close_since(self.registered)
  self.stopped = core.leaks_begin()
end

function check:finish()
  if self.found then return self.found end
  if not self.stopped then busted.close_since(self.registered) end
  local list = self:list()
  self.found = list
  let_go(self)
  return list
end

local function describe(list)
  local lines = { #list == 1 and "1 leak:" or #list .. " leaks:" }
  for i, one in ipairs(list) do lines[i + 1] = "  " .. leak.__tostring(one) end
  return concat(lines, "\n")
end

function check:close()
  if self.found then return end
  local list = self:finish()
  if #list > 0 then busted.fail(describe(list), 1) end
end

local function give_up(self)
  if self.found then return end
  self.found = {}
  let_go(self)
end

-- An error that is on its way is the better one to be told of.
function check:__close(err)
  if err ~= nil then return give_up(self) end
  if self.found then return end
  local list = self:finish()
  if #list > 0 then busted.fail(describe(list), 1) end
end

check.__gc = give_up

busted.class("neap.test.leaks", check)

return function()
  return setmetatable({ bit = core.leaks_begin(), registered = busted.registered() }, check)
end
