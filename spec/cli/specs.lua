-- For the specs of `neap test`: runs it in a directory of its own.
local program = require "spec.support.program"
local specs = {}

-- Files by name; what follows `test`. The result as of program.run, and the directory's `read(name)`.
function specs.run(files, arguments, options)
  local directory = program.directory(files)
  options = options or {}
  options.dir = directory.path
  local result = program.run_neap({ "test", table.unpack(arguments) }, options)
  result.files = {}
  for _, name in ipairs(options.keep or {}) do result.files[name] = directory:read(name) end
  return result
end

-- What is written in a spec file, in a describe named "it".
function specs.file(text)
  return "local neap, timer = require 'neap', require 'neap.timer'\ndescribe('it', function()\n" .. text .. "\nend)\n"
end

-- One such file; its output as TAP, for it is short.
function specs.tap(text, ...)
  return specs.run({ ["a_spec.lua"] = specs.file(text) }, { "-o", "TAP", "a_spec.lua", ... })
end

return specs
