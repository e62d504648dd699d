-- What the documentation shows must work: every Lua block is run (see support/run_blocks.lua), every file, target,
-- function and link that it names is there. Blocks that are files of one service are service_spec's.
local blocks = require "spec.support.blocks"
local program = require "spec.support.program".neap
local test = require "neap.test"

local function read(path)
  local file <close> = io.open(path)
  return file and file:read("a")
end

local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end

-- "```lua store.lua": not on its own.
local function is_file(block)
  return block.path == "docs/service.md" and block.info:find "^[%w_./]+$" ~= nil
end

-- Runs all Lua blocks of a file in one process, but for those that end it: line -> what is wrong, or "".
local function run(path, line)
  local err = os.tmpname()
  local script = ("spec/support/run_blocks.lua %s %s"):format(path, line or "")
  local command = ("timeout -s KILL 60 %s %s 2>%s </dev/null"):format(program, script, err)
  local pipe = assert(io.popen(command))
  local out = pipe:read("a")
  local ended_well = pipe:close()
  local said = read(err)
  os.remove(err)
  local text = out:match("return {\n.*") -- before it stands what blocks have written to stdout themselves
  local results = ended_well and load(text or out, "=results")
  return assert(results and results(), out .. said)
end

local known = {} -- path -> what came of its blocks
local function result_of(block)
  if block.text:find("%.exit%(") and block.info ~= "fragment" then return run(block.path, block.line)[block.line] end
  known[block.path] = known[block.path] or run(block.path)
  return known[block.path][block.line]
end

describe("the Lua in", function()
  for _, path in ipairs(blocks.files()) do
    for _, block in ipairs(blocks.read(path)) do
      if block.kind == "lua" and not is_file(block) then
        it(("%s, line %d, works"):format(path, block.line), function()
          assert.equal("", result_of(block))
        end)
      end
    end
  end
end)

-- ```lua reload: the pattern must also survive what it is for.
describe("the reload of", function()
  for _, path in ipairs(blocks.files()) do
    for _, block in ipairs(blocks.read(path)) do
      if block.kind == "lua" and block.info == "reload" then
        it(("%s, line %d, works"):format(path, block.line), function()
          local script = ("spec/support/reload_block.lua %s %d"):format(path, block.line)
          local pipe = assert(io.popen(("timeout -s KILL 20 %s %s 2>&1"):format(program, script)))
          local said = pipe:read("a")
          assert(pipe:close(), said)
        end)
      end
    end
  end
end)

-- ---- commands ---------------------------------------------------------------

local programs = {}
for name in ([[git cd printf echo nc curl kill pgrep neap make sudo apt-get valgrind luacheck .ci/run
  useradd runuser install mkdir cp ln systemctl journalctl rsync ssh]]):gmatch("%S+") do
  programs[name] = true
end

-- What is wrong with a line of shell, or nil. Names that no folder of ours begins are the reader's own.
local function check_command(line)
  line = line:gsub("%s+#%s.*$", ""):gsub("^#.*$", "")
  for command in line:gmatch("[^|&;]+") do
    command = command:gsub("^%s+", "")
    while command:find("^[%u_]+=%S+%s") do command = command:gsub("^%S+%s+", "") end
    local name, rest = command:match("^(%S+)%s*(.*)$")
    if name and not programs[name] and not exists(name) then return "no program " .. name end
    if name == "make" then
      for target in (" " .. rest):gsub(' [%u]+="[^"]*"', ""):gsub(" [%u]+=%S+", ""):gmatch("%S+") do
        if not read("Makefile"):find("\n" .. target .. ":", 1, true) then return "no target " .. target end
      end
    end
    for file in rest:gmatch("[%w_./-]+") do
      local folder = file:match("^([%w_.]+)/")
      if folder and folder ~= "build" and exists(folder) and not exists(file) then return "no file " .. file end
    end
  end
end

describe("the documentation", function()
  it("names commands that are there", function()
    for _, path in ipairs(blocks.files()) do
      for _, block in ipairs(blocks.read(path)) do
        for number, line in ipairs(block.kind == "sh" and not is_file(block) and block or {}) do
          local problem = check_command(line)
          assert(not problem, ("%s:%d: %s"):format(path, block.line + number - 1, problem))
        end
      end
    end
  end)

  -- What stands in a block without a kind is what something prints, or is drawn.
  it("has no block of a kind that nothing looks at", function()
    local kinds = { lua = true, sh = true, c = true, console = "docs/service.md", ini = true, nginx = "docs/service.md",
      caddy = "docs/service.md", [""] = true }
    for _, path in ipairs(blocks.files()) do
      for _, block in ipairs(blocks.read(path)) do
        local known_in = kinds[block.kind]
        assert(known_in == true or known_in == path, ("%s:%d: %s"):format(path, block.line, block.kind))
      end
    end
  end)

  it("shows units that systemd understands", function()
    if not os.execute "command -v systemd-analyze >/dev/null" then return pending "no systemd-analyze" end
    for _, path in ipairs(blocks.files()) do
      for _, block in ipairs(blocks.read(path)) do
        if block.kind == "ini" then
          local directory <close> = test.tempdir()
          local unit = block.text:gsub("/usr/local/bin/neap", program)
          local name = directory:write(unit:find "%%i" and "shown@.service" or "shown.service", unit)
          local pipe <close> = io.popen(("systemd-analyze verify %s 2>&1"):format(name))
          for line in pipe:lines() do -- it looks at other units of this machine, too
            assert(not line:find "shown[.@]", ("%s:%d: %s"):format(path, block.line, line))
          end
        end
      end
    end
  end)

  it("links to files that are there", function()
    for _, path in ipairs(blocks.files()) do
      for target in blocks.text(path):gmatch("%]%(([^)#]+)[^)]*%)") do
        local folder = path:match("^(.*/)") or ""
        assert(target:find("://", 1, true) or exists(folder .. target), path .. " links to " .. target)
      end
    end
  end)

  -- `host/loop.c: loop_run` says that this function is in that file.
  it("names functions of the C that are there", function()
    local seen = 0
    for _, path in ipairs { "docs/life-of-an-event.md", "docs/add-a-module.md" } do
      local text = assert(read(path)):gsub("```c\n.-```", "")
      for file, names in text:gmatch("([%w_/]+%.[ch]):%s+([%w_, ]+)") do
        local source = read(file)
        assert(source, path .. " names " .. file)
        for name in names:gmatch("[%w_]+") do
          seen = seen + 1
          assert(source:find("%f[%w_]" .. name .. "%f[^%w_]"), ("%s: no %s in %s"):format(path, name, file))
        end
      end
    end
    assert.is_true(seen > 30)
  end)

  it("shows the C that is tested", function()
    local shown
    for _, block in ipairs(blocks.read "docs/add-a-module.md") do
      if block.kind == "c" then shown = (shown or "") .. block.text end
    end
    local source = assert(read "spec/c/worked_example.c")
    assert.equal(source:match("/%* %-+ docs/add%-a%-module%.md %-+ %*/\n(.-)/%* %-+ until here"), shown)
  end)
end)
