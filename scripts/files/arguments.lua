-- What the command line of files.lua says.
local USAGE = [[
usage: neap scripts/files.lua [OPTION...] [DIRECTORY]      (the one you are in)
  --address ADDRESS  PORT, HOST:PORT, :PORT for everybody who reaches this machine, unix:PATH (127.0.0.1:8083)
  --name NAME        a name by which it is reached, behind a proxy; may be given again
  --users FILE       only for those in it: lines NAME:PASSWORD
  --dotfiles         also what has a name that begins with a dot
  --upload           who sees the page may add files; nothing is overwritten
  --max-file SIZE    of one of these: 500k, 20M, 1G (1G)
  --max-size SIZE    of what is sent at once (4G)
  --max-files COUNT  in what is sent at once (100)
]]

local GB = 1000000000
local UNITS = { [""] = 1, k = GB // 1000000, m = GB // 1000, g = GB, t = 1000 * GB }

local function size(text)
  local number, unit = text:match "^(%d+%.?%d*)([kKmMgGtT]?)[bB]?$"
  local bytes = number and tonumber(number) * UNITS[unit:lower()]
  return bytes and bytes >= 1 and bytes < 2 ^ 53 and math.floor(bytes) or nil, "SIZE is a number with k, M, G or T"
end

local function count(text)
  return text:find "^[1-9]%d?%d?%d?%d?$" and math.tointeger(tonumber(text)) or nil, "COUNT is a number from 1 to 99999"
end

local function any(text)
  return text
end

local flags = { ["--upload"] = "upload", ["--dotfiles"] = "dotfiles" }
local values = {
  ["--address"] = { "address", any }, ["--name"] = { "name", any }, ["--users"] = { "users", any },
  ["--max-file"] = { "max_file", size }, ["--max-size"] = { "max_size", size },
  ["--max-files"] = { "max_files", count },
}

-- A table of options; or nil and a text for who has called it so.
return function(list)
  local options = { names = {}, max_file = GB, max_size = 4 * GB, max_files = 100, address = "8083" }
  local i = 1
  while i <= #list do
    local argument = list[i]
    if flags[argument] then
      options[flags[argument]] = true
    elseif values[argument] then
      local key, read = table.unpack(values[argument])
      i = i + 1
      local value, why = read(list[i] or "")
      if not list[i] or not value then return nil, ("%s: %s\n%s"):format(argument, why or "what?", USAGE) end
      if key == "name" then options.names[value:lower()] = true else options[key] = value end
    elseif argument:find "^%-" or options.directory then
      return nil, USAGE
    else
      options.directory = argument
    end
    i = i + 1
  end
  options.directory = options.directory or "."
  options.address = options.address:gsub("^%d+$", "127.0.0.1:%0")
  return options
end
