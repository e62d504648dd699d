-- What an uploaded file may be called. The name is the client's, who may want to leave the folder with it, to hide it,
-- or to mean a device. What is no plain name is refused, not changed: then everybody knows where it is.
local DEVICES = { con = true, prn = true, aux = true, nul = true }
for i = 0, 9 do DEVICES["com" .. i], DEVICES["lpt" .. i] = true, true end

local LONGEST = 255 -- bytes, that is what file systems take

-- Why this name is none, or nil.
return function(name)
  if name == "" then return "has no name" end
  if not utf8.len(name) then return "has a name that is not UTF-8" end
  if name:find "[/\\]" then return "has a slash in its name" end
  if name:find "%c" or name:find "\xC2[\128-\159]" then return "has characters in its name that cannot be seen" end
  if name:find "\xE2\x80[\xAA-\xAE]" or name:find "\xE2\x81[\xA6-\xA9]" then -- "gpj.exe" looks like "exe.jpg"
    return "has marks in its name that turn the direction of what follows"
  end
  if name:find "^%." then return "has a name that begins with a dot" end
  if name:find "^ " or name:find "[ .]$" then return "has a space or a dot at an end of its name" end
  if #name > LONGEST then return ("has a name of more than %d bytes"):format(LONGEST) end
  if DEVICES[name:lower():match "^[^. ]*"] then return "has the name of a device" end
end
