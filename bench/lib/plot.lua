-- Draws the rows about HTTP as an SVG picture: a panel for each row, in it a bar
-- for each contestant, the shorter the better. Each panel has a scale of its own.
-- Light and dark as the reader likes it; no script, no foreign font.
local plot = {}

local WIDTH, PANEL, MARGIN = 880, 420, 20
local TOP, BOTTOM = 72, 36
local BAR, STEP, HEADER = 15, 21, 30 -- of a panel
local LABEL, LONGEST = 84, 262 -- where bars begin, and how long they may be

local PANELS = {
  { row = "http hello", title = "Hello: µs CPU a request" },
  { row = "http headers", title = "Ten request headers: µs CPU a request" },
  { row = "http pipelined", title = "Pipelined by 16: µs CPU a request" },
  { row = "http json", title = "1 KB of JSON: µs CPU a request" },
  { row = "http in", title = "1 MiB received: µs CPU a request" },
  { row = "http out", title = "1 MiB sent in pieces: µs CPU a request" },
  { row = "http idle", title = "Idle connection: bytes of memory" },
  { row = "http latency", title = "2,000 requests a second: µs, 99th percentile" },
}

local NAMES = { limit = "limit, in C", nginx = "nginx + Lua", bun = "Bun" }

local STYLE = [[
text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#24292f}
.page{fill:#f6f8fa;stroke:#d0d7de}.name{text-anchor:end}.dim{fill:#57606a}
.title{font-weight:600}.head{font-size:16px;font-weight:600}
.peer{fill:#9aa4af}.limit{fill:#cfd6dd}.neap{fill:#1a7f9c}
.own{font-weight:600}
@media (prefers-color-scheme:dark){
text{fill:#c9d1d9}.page{fill:#161b22;stroke:#30363d}.dim{fill:#8b949e}
.peer{fill:#6e7681}.limit{fill:#4a525c}.neap{fill:#3fb6d3}
}
]]

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function number(value)
  local digits = value < 10 and 2 or value < 100 and 1 or 0
  return ("%%.%df"):format(digits):format(value)
end

local function text(class, x, y, words)
  return ('<text class="%s" x="%g" y="%g">%s</text>'):format(class, x, y,
    escape(words))
end

local function class_of(name)
  return (name == "neap" or name == "limit") and name or "peer"
end

local function bar(out, x, y, entry, value, longest)
  local own = entry.name == "neap" and " own" or ""
  local middle = y + BAR - 3
  table.insert(out, text("name" .. own, x + LABEL - 8, middle,
    NAMES[entry.name] or entry.name))
  if not value then
    table.insert(out, text("dim", x + LABEL, middle, "failed"))
    return
  end
  local length = math.max(value / longest * LONGEST, 1)
  table.insert(out, ('<rect class="%s" x="%g" y="%g" width="%.1f" height="%d" '
    .. 'rx="2"/>'):format(class_of(entry.name), x + LABEL, y, length, BAR))
  table.insert(out, text("value" .. own, x + LABEL + length + 6, middle,
    number(value)))
end

local function panel(out, x, y, title, row)
  local key, longest = row.columns[1].key, 0
  for _, entry in ipairs(row.entries) do
    longest = math.max(longest, entry.median[key] or 0)
  end
  table.insert(out, text("title", x, y + 14, title))
  for i, entry in ipairs(row.entries) do
    bar(out, x, y + HEADER + (i - 1) * STEP, entry, entry.median[key], longest)
  end
end

-- Those that were run, each with its place: from left to right, then down.
local function places(results)
  local rows, list, y, tallest = {}, {}, TOP, 0
  for _, result in ipairs(results) do rows[result.row] = result end
  for _, one in ipairs(PANELS) do
    local row = rows[one.row]
    if row then
      local left = #list % 2 == 0
      if left then y, tallest = y + tallest, 0 end
      table.insert(list, { x = left and MARGIN or WIDTH - MARGIN - PANEL,
        y = y, row = row, title = one.title })
      tallest = math.max(tallest, HEADER + #row.entries * STEP + 16)
    end
  end
  return list, y + tallest + BOTTOM
end

local function legend(versions)
  local words = {}
  for _, name in ipairs { "neap", "nginx", "bun", "node" } do
    if versions[name] then
      table.insert(words, name .. " " .. versions[name])
    end
  end
  return table.concat(words, ", ") .. "; the limit is libuv and llhttp in C"
end

-- The document; results as bench/run.lua has them.
function plot.draw(results, versions)
  local list, height = places(results)
  local out = {
    ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" '
      .. 'height="%d" role="img">'):format(WIDTH, height, WIDTH, height),
    "<title>HTTP: what neap, its peers and the limit in C cost</title>",
    "<style>\n" .. STYLE .. "</style>",
    ('<rect class="page" x="0.5" y="0.5" width="%d" height="%d" rx="6"/>')
      :format(WIDTH - 1, height - 1),
    text("head", MARGIN, 32, "HTTP, one core: shorter is better"),
    text("dim", MARGIN, 52, "CPU is user and system time of the server's "
      .. "process for each request, median of all rounds"),
  }
  for _, one in ipairs(list) do
    panel(out, one.x, one.y, one.title, one.row)
  end
  table.insert(out, text("dim", MARGIN, height - 16, legend(versions)))
  table.insert(out, "</svg>\n")
  return table.concat(out, "\n")
end

return plot
