-- test.capture: what the process writes, kept from the terminal. Captures may be inside each other; they end in the
-- order of a stack, whichever is closed.
local core = ...
local busted = core.busted
local setmetatable = setmetatable

local capture = {}
local stack = {} -- those that are open

local function end_one()
  local one = stack[#stack]
  stack[#stack] = nil
  one.files:restore()
  one.out, one.err = one.files:texts()
end

function capture:texts()
  if self.out then return self.out, self.err end
  return self.files:texts()
end

function capture:stdout()
  return (self:texts())
end

function capture:stderr()
  local _, err = self:texts()
  return err
end

-- The host begins its lines so, and only the host does.
function capture:log()
  local lines = {}
  for line in self:stderr():gmatch("[^\n]+") do
    local text = line:match("^neap: (.*)")
    if text then lines[#lines + 1] = text end
  end
  return lines
end

function capture:close()
  while not self.out do end_one() end
  return self.out, self.err
end

function capture:__close()
  self:close()
end

busted.class("neap.test.capture", capture)

return function()
  local self = setmetatable({ files = core.capture() }, capture)
  stack[#stack + 1] = self
  return busted.close_after(self)
end
