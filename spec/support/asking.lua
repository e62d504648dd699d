-- One of many clients, while versions of a program follow each other: it asks until `over()`, and counts in `result`
-- how often, what failed, what went back to an older version, and which versions it saw that nobody had seen before.
-- `ask()` gives the version that has answered, or nil and why not: then it is the last time.
return function(ask, result, seen, over)
  local last = 0
  while not over() do
    local version, message = ask()
    result.asked = result.asked + 1
    if not version then
      result.errors, result.message = result.errors + 1, message
      return
    end
    if version < last then result.back = result.back + 1 end
    last = version
    if not seen[version] then seen[version], result.seen = true, result.seen + 1 end
  end
end
