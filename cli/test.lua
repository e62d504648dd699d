-- `neap test`: runs busted, as it comes, in the main task. So all that it calls may wait: `it`, `before_each`, what
-- `assert.has_error` is given. Here is read what is asked for; cli/test/*.lua does it, one file for each thing.
local core = ... -- see cli/test/core.c

if not package.preload["busted.runner"] and not package.searchpath("busted.runner", package.path) then
  io.stderr:write("neap test: busted is not installed. Debian: apt install lua-busted; ",
    "elsewhere: luarocks install busted\n")
  os.exit(1)
end

local options = core.load("options")(core)
if options.watch then
  core.load("watch")(core, options)
else
  core.load("run")(core, options)
end
