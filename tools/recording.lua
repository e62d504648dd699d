-- Draws what happened in some panes of text as an animated SVG: one file, with no script, font or picture from
-- elsewhere. Lines appear at their times, a pane that is full scrolls, and after the last moment it begins anew.
-- Whoever does not animate (a reader who asked for less motion, a converter) shows the end.
--
--   local film = recording.new { title = "...", width = 880, height = 500 }
--   local pane = film:pane { x = 10, y = 10, width = 400, height = 149, rows = 7, title = "ada" }
--   pane:line(1.25, "said", "> hello")      -- at 1.25 s, in the style "said" (see STYLE)
--   film:status(0.5, "1 answer")            -- the last line, until the next one
--   local svg = film:svg(30)                -- seconds
local recording = {}

local ROW, SIZE, CHARACTER = 17, 12, 7.25 -- px: a line, its font, and how wide a character of it may be
local MARGIN, TITLE = 10, 22

local STYLE = [[
text{font:%dpx ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:#c9d1d9;
white-space:pre}
.said{fill:#79c0ff}.dim{fill:#8b949e}.good{fill:#56d364}.bad{fill:#ff7b72}
.a,.b{animation:%gs step-end infinite}
.b{animation-name:bar;animation-timing-function:linear;transform-origin:10px}
@keyframes bar{from{transform:scaleX(0)}to{transform:none}}
@media (prefers-reduced-motion:reduce){.a,.b{animation:none!important}}
]]

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escape(text)
  return (text:gsub("%c", " "):gsub('[&<>"]', ESCAPES))
end

local function cut(text, width)
  local room = math.floor(width / CHARACTER)
  if utf8.len(text) <= room then return text end
  return text:sub(1, utf8.offset(text, room) - 1) .. "…"
end

local film, pane = {}, {}
film.__index, pane.__index = film, pane

function recording.new(options)
  return setmetatable({ options = options, panes = {}, states = {} }, film)
end

function film:pane(options)
  local one = setmetatable({ options = options, lines = {} }, pane)
  table.insert(self.panes, one)
  return one
end

function film:status(at, text)
  table.insert(self.states, { at = at, text = text })
end

function pane:line(at, style, text)
  table.insert(self.lines, { at = at, style = style, text = text })
end

-- ---- animation ----------------------------------------------------------------

-- Steps are { at, declaration }, the first at 0: the name of keyframes, which are written once.
local function keyframes(self, steps)
  local parts = {}
  for i, step in ipairs(steps) do
    local last = i == #steps and ",to" or ""
    parts[i] = ("%.2f%%%s{%s}"):format(step[1] / self.seconds * 100, last, step[2])
  end
  local text = table.concat(parts)
  if not self.names[text] then
    self.count = self.count + 1
    self.names[text] = "k" .. self.count
    self:add(("@keyframes k%d{%s}"):format(self.count, text))
  end
  return self.names[text]
end

local function animated(self, steps)
  if #steps < 2 then return "" end
  return (' class="a" style="animation-name:%s"'):format(keyframes(self, steps))
end

-- ---- drawing --------------------------------------------------------------------

local function draw_text(y, style, text)
  return ('<text y="%d"%s>%s</text>'):format(y, style and (' class="%s"'):format(style) or "", escape(text))
end

-- What appears at one time is a group; it stays.
local function draw_lines(self, one, out)
  local width = one.options.width - 2 * MARGIN
  local i = 1
  while one.lines[i] do
    local at, group = one.lines[i].at, {}
    while one.lines[i] and one.lines[i].at == at do
      local line = one.lines[i]
      table.insert(group, draw_text(i * ROW - 4, line.style, cut(line.text, width)))
      i = i + 1
    end
    local steps = at > 0 and { { 0, "opacity:0" }, { at, "opacity:1" } } or {}
    table.insert(out, ("<g%s>%s</g>"):format(animated(self, steps), table.concat(group)))
  end
end

-- How far a pane is scrolled: at each line that has no room.
local function scroll_steps(one)
  local steps, top = { { 0, "transform:none" } }, 0
  for i, line in ipairs(one.lines) do
    if i > one.options.rows then
      top = (i - one.options.rows) * ROW
      local step = { line.at, ("transform:translateY(-%dpx)"):format(top) }
      if steps[#steps][1] == line.at then steps[#steps] = step else table.insert(steps, step) end
    end
  end
  return steps, top
end

local function draw_pane(self, one, out)
  local options = one.options
  table.insert(out, ('<g transform="translate(%d %d)"><rect width="%d" height="%d" rx="6" fill="#161b22" '
    .. 'stroke="#30363d"/><text x="%d" y="16" class="dim">%s</text>'):format(options.x, options.y, options.width,
    options.height, MARGIN, escape(options.title)))
  local steps, top = scroll_steps(one)
  table.insert(out, ('<svg x="%d" y="%d" width="%d" height="%d"><g transform="translate(0 %d)"%s>'):format(MARGIN,
    TITLE, options.width - 2 * MARGIN, options.rows * ROW + 4, -top, animated(self, steps)))
  draw_lines(self, one, out)
  table.insert(out, "</g></svg></g>")
end

-- Each until the next one: only the last is there without animation.
local function draw_states(self, out)
  for i, state in ipairs(self.states) do
    local next_one = self.states[i + 1]
    local steps = {}
    if i > 1 then table.insert(steps, { 0, "opacity:0" }) end
    table.insert(steps, { i > 1 and state.at or 0, "opacity:1" })
    if next_one then table.insert(steps, { next_one.at, "opacity:0" }) end
    table.insert(out, ('<g opacity="%d"%s>%s</g>'):format(next_one and 0 or 1, animated(self, steps),
      draw_text(0, "dim", state.text)))
  end
end

function film:add(rule)
  table.insert(self.rules, rule)
end

function film:svg(seconds)
  self.seconds, self.names, self.rules, self.count = seconds, {}, {}, 0
  local width, height = self.options.width, self.options.height
  local body = {}
  for _, one in ipairs(self.panes) do draw_pane(self, one, body) end
  table.insert(body, ('<g transform="translate(%d %d)">'):format(2 * MARGIN, height - 18))
  draw_states(self, body)
  table.insert(body, "</g>")
  return table.concat {
    ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" '
      .. 'xml:space="preserve">'):format(width, height, width, height),
    "<title>", escape(self.options.title), "</title>\n<style>\n", STYLE:format(SIZE, seconds),
    table.concat(self.rules, "\n"), "\n</style>\n",
    ('<rect x=".5" y=".5" width="%d" height="%d" rx="8" fill="#0d1117" stroke="#30363d"/>\n'):format(width - 1,
      height - 1),
    table.concat(body, "\n"),
    ('\n<rect class="b" x="10" y="%d" width="%d" height="2" fill="#388bfd"/>\n</svg>\n'):format(height - 8, width - 20),
  }
end

return recording
