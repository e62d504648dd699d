-- luacheck runs over all Lua files of the repository: `make check`.

std = "lua54"
max_line_length = 120
exclude_files = { "build", ".git" }

-- They make the world that scripts see, and so may set what others only read.
files["host"] = { ignore = { "122" } }
files["cli"] = { ignore = { "122" } }

files["spec"] = { std = "+busted" }

-- Stubs: their parameters and tables are there to be read, not used; and what
-- LuaLS reads cannot be broken into lines.
files["types"] = { ignore = { "211", "212", "241", "631" } }
