-- `neap help NAME`: what types/ says about a module, a function or a class, as help "NAME" does at the prompt.
local core = ...
local help = core.load_part "cli/repl/help.lua"(core, core.is_terminal(), "help(), in the REPL,")

local known = true
for i = 1, #arg do
  if i > 1 then print() end
  known = help(arg[i]) and known
end
os.exit(known)
