---@meta neap.timer
---Time: wait for it, or read it.
---
---All times are seconds, integers or fractions. A timer is never early; it is late
---by a millisecond, and by what the running task takes. Timers that are due at the
---same millisecond fire in the order in which they were set.
---In a spec time may stand still, and jump: `neap.test`.
local timer = {}

---Waits for so many seconds. With 0 every task that is ready runs first.
---
---With a callback it returns at once; the callback is later called with `true`, in
---a task of its own. Until then the program stays alive.
---
---Cannot fail. Raises for a time that is negative, above 1e9 or no number.
---
---```lua
---local timer = require "neap.timer"
---
---timer.sleep(0.02, function() print "later" end)
---local call = timer.sleep(0.01, function() print "never" end)
---print(call:cancel()) --> true
---print(timer.sleep(0.03))
-----> later
-----> true
---```
---
---Source: host/wheel.c; libuv: uv_hrtime, uv_timer_start (one for all timers).
---@param seconds number 0 to 1e9
---@return boolean ok true
---@overload fun(seconds: number, callback: fun(ok: boolean)): neap.sleep
function timer.sleep(seconds) end

---Calls a function again and again, each time in a task of its own, so it may wait.
---The first time is after one interval. It goes on, and keeps the program alive,
---until it is closed.
---
---Ticks do not drift: the n-th is due n intervals after the call. A tick that still
---runs when the next is due is not started twice, and what was missed is left out.
---A tick that fails is reported as any task is; the next one comes all the same.
---
---Raises for an interval that is not above 0, and without a function.
---
---```lua
---local timer = require "neap.timer"
---
---local count = 0
---local ticks
---ticks = timer.every(0.005, function()
---  count = count + 1
---  if count == 3 then ticks:close() end
---end)
---repeat timer.sleep(0.005) until count == 3
---print(count) --> 3
---```
---
---Source: modules/timer.c; libuv: uv_hrtime, uv_timer_start (one for all timers).
---@param seconds number above 0, at most 1e9
---@param fn fun()
---@return neap.interval interval
function timer.every(seconds, fn) end

---The wall clock, with microseconds: seconds since 1970, as `os.time` but with a
---fraction. It jumps when somebody sets the clock: measure with `monotonic`.
---
---```lua
---local timer = require "neap.timer"
---
---print(math.abs(timer.now() - os.time()) < 2) --> true
---```
---
---Source: POSIX gettimeofday.
---@return number seconds
function timer.now() end

---A clock that only goes forward, with nanoseconds. Only differences mean something.
---
---```lua
---local timer = require "neap.timer"
---
---local start = timer.monotonic()
---timer.sleep(0.01)
---local taken = timer.monotonic() - start
---print(taken >= 0.01 and taken < 5) --> true
---```
---
---Source: libuv: uv_hrtime.
---@return number seconds
function timer.monotonic() end

---What `timer.sleep` returns when it is given a callback.
---@class neap.sleep
local sleep = {}

---Takes it back: the callback is not called.
---
---```lua
---local timer = require "neap.timer"
---
---local call = timer.sleep(60, print)
---print(call:cancel()) --> true
---print(call:cancel()) --> false
---```
---@return boolean was_waiting false: it has been called, or cancelled
function sleep:cancel() end

---What `timer.every` returns. It need not be kept: it is active until it is closed.
---It may be a `<close>` variable.
---@class neap.interval
local interval = {}

---No tick comes any more. One that runs goes on. Closing twice does nothing.
---
---```lua
---local timer = require "neap.timer"
---
---do
---  local ticks <close> = timer.every(0.002, function() end)
---  timer.sleep(0.01)
---end -- closed here
---```
function interval:close() end

return timer
