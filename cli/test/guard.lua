-- Runs each part of a spec (its function, its before_each ...) in a task of its own, for so long at most. So a part
-- that takes too long can be cancelled, with all that it has started, and the run goes on: pcall does not stop that.
-- And what fails in the background fails the part that has started it.
local core, options, busted, background = ...
local neap = require "neap"
local go, tasks = neap.go, neap.tasks
local format, pack, unpack = string.format, table.pack, table.unpack
local setmetatable = setmetatable

local limit = options.limit
local safe, context = busted.safe, busted.context
local current -- the record of the spec that runs, or nil
local containers = setmetatable({}, { __mode = "k" }) -- a file, a describe -> its record

local function full_name(element)
  local name = element.name or element.descriptor
  local parent = context.parent(element)
  while parent and (parent.name or parent.descriptor) and parent.descriptor ~= "file" do
    if parent.descriptor == "suite" then break end
    name = (parent.name or parent.descriptor) .. " " .. name
    parent = context.parent(parent)
  end
  local trace = element.trace
  return trace and trace.short_src and format("%s @ %d, %s", trace.short_src, trace.currentline, name) or name
end

local function record_of(element)
  if current then return current end
  containers[element] = containers[element] or background.new_record(element, full_name(element))
  return containers[element]
end

-- What busted does after an error in the part; of an `it` a failure can be told from it.
local function publish(element, descriptor, message)
  local status = descriptor == "it" and "failure" or "error"
  busted.publish({ status, element.descriptor }, element, context.parent(element), message,
    background.trace_of(message, element))
  return status
end

-- ---- over the limit ----------------------------------------------------------

local function describe(task)
  local where = task.where or "?"
  if task.state ~= "waiting" then
    return format("\n  task %d (%s) is %s at %s", task.id, task.name, task.state, where)
  end
  local started = task.started and not task.started:find("^neap:") and ", started at " .. task.started or ""
  return format("\n  task %d (%s) waits in %s at %s%s", task.id, task.name, task.waits or "?", where, started)
end

local function message_of(record, id, spun)
  local mine, lines, where = core.tasks(record.number), {}, spun
  for _, task in ipairs(tasks()) do
    if mine[task.id] then
      lines[#lines + 1] = describe(task)
      if task.id == id and not where then where = task.where end
    end
  end
  local what = spun and "has held the loop for more than" or "has taken more than"
  return format("%s: this %s %g s%s", where or record.name, what, limit, table.concat(lines))
end

local function give_up(record, id, spun, level)
  local message = message_of(record, id, spun)
  core.cancel(record.number)
  core.wait(0)
  while context.get() ~= level do context.pop() end
  return message
end

-- ---- leaks -------------------------------------------------------------------

local leaks = options.leaks and require "neap.test".leaks

-- From its first part on: what a lazy_setup makes belongs to the specs after it, too.
local function begin_leaks(record, descriptor)
  if leaks and current and not record.leaks and descriptor ~= "lazy_setup" then record.leaks = leaks() end
end

local function end_leaks(record)
  if not record.leaks then return end
  local found = record.leaks:finish()
  for _, leak in ipairs(found) do
    local text = tostring(leak)
    if options.leaks == "fail" then
      local trace = background.trace_of((leak.where or "") .. ": ", record.element)
      local element = { descriptor = "leak", name = record.name, attributes = {}, trace = trace }
      busted.publish({ "error", "leak" }, element, nil, "leak: " .. text, trace)
    else
      io.stderr:write(format("neap: leak: %s: %s\n", record.name, text))
    end
  end
end

-- ---- a part ------------------------------------------------------------------

local closer = setmetatable({}, { __close = function() core.done() end })

local function run_part(descriptor, run, element)
  local record = record_of(element)
  begin_leaks(record, descriptor)
  local level, results = context.get(), nil
  core.begin(record.number)
  core.start()
  local task = go(function()
    local _ <close> = closer
    results = pack(safe(descriptor, run, element))
  end)
  local id = task.id
  task.name = descriptor == "it" and "spec" or descriptor
  local done, spun = core.wait(limit)
  local message
  if not done or (spun and not results) then message = give_up(record, id, spun, level) end
  task:join()
  if done and not results and not message then
    while context.get() ~= level do context.pop() end
    message = record.name .. ": this was cancelled"
  end
  for _ = 1, 3 do core.turn() end -- what is failing right now
  local errors = record.errors
  record.errors = {}
  if not message and spun then message = format("%s: a task has held the loop for more than %g s", spun, limit) end
  if message then errors = { message, unpack(errors) } end
  if #errors == 0 then return unpack(results, 1, results.n) end
  if results and not results[1]:success() then -- it has failed by itself
    io.stderr:write("neap: ", table.concat(errors, "\nneap: "), "\n")
    return unpack(results, 1, results.n)
  end
  return busted.status(publish(element, descriptor, table.concat(errors, "\n")))
end

local function run_spec(descriptor, run, element)
  current = background.new_record(element, full_name(element))
  local record = current
  local results = pack(safe(descriptor, run, element))
  end_leaks(record)
  current = nil
  record.over = true
  core.begin(0)
  return unpack(results, 1, results.n)
end

-- What busted calls comes in three kinds: parts of spec files, whole specs with all that belongs to them, and its own.
function busted.safe(descriptor, run, element)
  if run == element.run or descriptor == "finally" then return run_part(descriptor, run, element) end
  if descriptor == "it" and element.descriptor == "it" then return run_spec(descriptor, run, element) end
  return safe(descriptor, run, element)
end
