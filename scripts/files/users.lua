-- Who may see the files: a line NAME:PASSWORD for each in a file, # for what is none. A password may be as it is, or as
-- neap.crypto hashes it:  neap -e 'print(require "neap.crypto".password(io.read()))'
local fs, hot = require "neap.fs", require "neap.hot"

local function lies_in(path, directory)
  local place = fs.realpath(path) or ""
  local above = directory == "/" and directory or directory .. "/"
  return place:sub(1, #above) == above
end

-- name -> password; or nil and a message. A change of the file is a new version of the program.
return function(path, served)
  local text, message = fs.read(path, { limit = 1000000 })
  if not text then return nil, message end
  if lies_in(path, served) then return nil, path .. ": it lies in what is served: everybody could read it" end
  hot.depends(path)
  local users, number = {}, 0
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    local name, password = line:match "^([^:]+):(.+)$"
    if line:find "^#" or line == "" then
      name = nil
    elseif not name or users[name] then
      return nil, ("%s:%d: NAME:PASSWORD, each name once"):format(path, number)
    end
    if name then users[name] = password end
  end
  if not next(users) then return nil, path .. ": there is nobody in it" end
  return users
end
