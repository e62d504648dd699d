-- req:form and req:parts: what a client has filled in. The functions here are what forms.c calls, a method each.
local core = ...
local load, pairs = core.load, pairs

local methods = load "modules/http/forms/form.lua"
for _, more in pairs { load "modules/http/forms/parts.lua", load "modules/http/forms/uploads.lua" } do
  for name, method in pairs(more) do methods[name] = method end
end
return methods
