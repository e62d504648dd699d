---@meta neap.test
---What specs of asynchronous code need, in any busted spec that runs under `neap test`.
---
---All of it ends with its spec: keep what it returns in a `<close>` variable, or close
---it in `after_each`.
local test = {}

---Virtual time. While a clock is in force time stands still; when all tasks wait and no
---real work is in flight, it jumps to the next timer. So what sleeps for an hour is over
---in a moment, and at exactly that time.
---
---It is followed by all that waits for a time (`timer.sleep`, `timer.every`,
---`neap.deadline`, each `timeout`), and by all that tells it: `timer.now`,
---`timer.monotonic`, `os.time()`, and `os.date` without a time. Timers that were there
---before follow too. `os.clock` is CPU time, and stays; so do the limit that
---`neap test` sets for each spec, and reports of tasks that hold the loop.
---
---**When it jumps.** It stands while a task runs or is ready, and while something is in
---flight: a request in the thread pool (files, names of hosts, databases), connections and
---bytes that are on their way between sockets of this machine. It does not wait for a peer: nobody
---can know whether a program outside is about to send something, so a read that finds
---nothing is at its time limit at once. Talk to other processes before the clock, or without time
---limits: where no timer is left the loop waits for the world, in real time.
---
---Time has whole milliseconds, as timers have. A loop that waits for time to pass without
---waiting itself (`while timer.monotonic() < limit do end`, or with `timer.sleep(0)`)
---never ends.
---
---When it is closed the real time of day is back. `timer.monotonic` goes on from where it
---stands, as it never goes back, and so do timers that are left: what was due in an
---hour's time is due in an hour.
---
---Raises where there is another clock, and for what is no time.
---
---```lua
---local neap, test, timer = require "neap", require "neap.test", require "neap.timer"
---
---local sessions = { ann = true }
---
---local function expire(name) -- the code under test
---  timer.sleep(3600)
---  sessions[name] = nil
---end
---
---do
---  local clock <close> = test.clock()
---  neap.go(expire, "ann")
---  clock:advance(3599.999)
---  print(sessions.ann) --> true
---  clock:advance(0.001)
---  print(sessions.ann, clock:now()) --> nil	3600.0
---end
---```
---
---Source: host/virtual_time.c, modules/test/clock.c.
---@param now? number what `os.time` tells at first, in seconds since 1970: as it is, in whole seconds
---@return neap.test.clock clock
function test.clock(now) end

---What `test.clock` returns. It may be a `<close>` variable.
---@class neap.test.clock
local clock = {}

---Waits until time has gone on so far, and all is done that is due by then: each timer
---has fired at its own moment, in order, and all that it has set off has come to rest. The timers
---that are due at the very last moment, too. With 0 it waits until all others wait.
---
---Fails with ECANCELED where the clock is closed meanwhile. Raises for a time that is
---negative, above 1e9 or no number, and for a clock that is closed.
---
---```lua
---local test, timer = require "neap.test", require "neap.timer"
---
---local clock <close> = test.clock()
---local ticks <close> = timer.every(0.5, function() print("tick", clock:now()) end)
---clock:advance(1)
-----> tick	0.5
-----> tick	1.0
---```
---
---Source: host/virtual_time.c, modules/test/clock.c.
---@param seconds number 0 to 1e9
---@return number? now as `clock:now`
---@return string? message
---@return string? code
---@overload fun(self: neap.test.clock, seconds: number, callback: fun(now?: number, message?: string, code?: string)): neap.task
function clock:advance(seconds) end

---How far time has gone on since the clock was started.
---
---Raises for a clock that is closed.
---
---```lua
---local test, timer = require "neap.test", require "neap.timer"
---
---local clock <close> = test.clock(86400) -- the second day of 1970
---timer.sleep(90)
---print(clock:now(), os.date("!%F %T")) --> 90.0	1970-01-02 00:01:30
---```
---@return number seconds
function clock:now() end

---The real monotonic clock, which does not stand still. Only differences mean something.
---
---```lua
---local test, timer = require "neap.test", require "neap.timer"
---
---local clock <close> = test.clock()
---local start = clock:real()
---timer.sleep(3600)
---print(clock:real() - start < 5) --> true
---```
---
---Source: libuv: uv_hrtime.
---@return number seconds
function clock:real() end

---Time passes again. Closing twice does nothing.
---
---```lua
---local test = require "neap.test"
---
---local clock = test.clock(0)
---clock:close()
---print(os.time() > 1e9) --> true
---```
function clock:close() end

---The tasks that are ready run in a random order, until this is closed. So code is found
---that works only because one task happens to run before another. The seed decides the
---order: the same code with the same seed runs in the same order again, as long as
---nothing else differs. With `test.clock`, and without sockets, nothing does.
---
---These orders are promised, and kept:
---
---- `timer.sleep(0)` returns after all tasks that were ready when it was called.
---- Timers that are due at the same millisecond fire, and what waits for them goes on, in
---  the order in which they were set.
---- The events of a connection come one after the other. The bytes of a connection arrive
---  in the order of the calls to `write`.
---- A callback runs after the call that took it has returned.
---
---All else is luck, also where it always comes out the same without this: which of several tasks
---that `neap.go` has started begins first; which goes on first when several wait for the same
---thing, or for things that happen in the same turn of the loop; which connection is served first.
---
---Where it is a `<close>` variable, and its block ends with an error, the seed is told on
---stderr.
---
---Raises where there is another shuffle, and for a seed that is no integer.
---
---```lua
---local neap, test, timer = require "neap", require "neap.test", require "neap.timer"
---
---local function first_to_start(seed)
---  local shuffle <close> = test.shuffle(seed)
---  local first
---  for i = 1, 2 do neap.go(function() first = first or i end) end
---  timer.sleep(0)
---  return first
---end
---
---local seen = {}
---for seed = 1, 100 do seen[first_to_start(seed)] = true end
---print(seen[1], seen[2]) --> true	true
---```
---
---Source: host/shuffle.c, modules/test/shuffle.c.
---@param seed? integer which order: by default a random one
---@return neap.test.shuffle shuffle
function test.shuffle(seed) end

---What `test.shuffle` returns. It may be a `<close>` variable.
---@class neap.test.shuffle
---@field seed integer what repeats this order
local shuffle = {}

---Tasks run in the order in which they have become ready. Closing twice does nothing.
---
---```lua
---local test = require "neap.test"
---
---local shuffle = test.shuffle(7)
---shuffle:close()
---print(shuffle.seed) --> 7
---```
function shuffle:close() end

return test
