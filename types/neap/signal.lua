---@meta neap.signal
---Signals: what the system, a terminal or another process tells this one.
---
---A name is `"TERM"` or `"SIGTERM"`; a number is accepted, too. Unless a script takes
---them, these have a use of their own:
---
---| signal | without a script that takes it |
---|---|
---| TERM, INT | ends the program in good order; a second one, at once |
---| HUP | loads the program again; with a terminal: ends it |
---| USR1 | prints the table of tasks |
---| PIPE | nothing: a write says it |
---
---Others do what the system has for them; most end the process. While a script takes
---a signal it does nothing else. When the last one lets go, by closing a handler or
---because its version is replaced, it means again what it meant before.
---
---As everywhere, signals do not queue: those of one kind that come before the loop
---turns are one. KILL and STOP can be taken by nobody, those that say that the
---program is broken (SEGV, BUS, FPE, ILL, ABRT, SYS, TRAP) neither; CHLD and URG are
---used by the program itself. To send one there is `process.kill`.
local signal = {}

---Calls a function with the name of the signal, each time in a task of its own, so it
---may wait. What comes while it still runs makes one more run, after that.
---
---The handler does not keep the program alive. It lasts until it is closed, also if
---nobody holds it, or its version is replaced: in a version that is being loaded it
---begins at the commit, and in that moment that of the old one ends, so that none is
---lost in between. An error in it is reported as that of any task, and the next signal calls
---it all the same.
---
---Raises for what is no signal (and lists those there are), for one that cannot be
---taken, and without a function.
---
---```lua
---local process, signal, timer = require "neap.process", require "neap.signal", require "neap.timer"
---
---local handler = signal.on("USR2", function(name) print("got " .. name) end)
---process.kill(process.pid, "USR2")
---timer.sleep(0.05)
---handler:close()
-----> got USR2
---```
---
---Source: sigaction(2).
---@param name string|integer
---@param fn fun(name: string)
---@return neap.signal.handler handler
function signal.on(name, fn) end

---Waits for one of some signals, and returns the name of the one that has come. All
---who wait for it are woken. The program goes on while somebody waits.
---
---From the first wait on, the version of the program that waits holds the signal: one
---that comes between two waits is kept for the next (several as one). With TERM and
---INT it is different: when nobody waits any more they end the program again, so
---that a second Ctrl-C does what people expect.
---
---Fails with ETIMEDOUT, ECANCELED (its version has been replaced). Raises for what is
---no signal, or cannot be taken.
---
---```lua
---local neap, process, signal = require "neap", require "neap.process", require "neap.signal"
---
---neap.go(function() process.kill(process.pid, "USR2") end)
---print(signal.wait("USR2", "HUP")) --> USR2
---print(signal.wait("USR2", { timeout = 0.01 })) --> nil	wait for USR2: timed out	ETIMEDOUT
---```
---
---Source: sigaction(2).
---@param name string|integer
---@param ... string|integer|{ timeout?: number }|fun(name?: string, message?: string, code?: string) more names, then options (timeout in seconds), then a callback
---@return string? name without "SIG"
---@return string? message
---@return string? code
function signal.wait(name, ...) end

---What `signal.on` returns. It may be a `<close>` variable.
---@class neap.signal.handler
---@field closed boolean read only
local handler = {}

---The function is called no more; a run of it that has begun goes on. Closing twice
---does nothing.
---
---```lua
---local signal = require "neap.signal"
---
---local handler = signal.on("HUP", function() end)
---handler:close()
---print(handler.closed) --> true
---```
---
---Source: sigaction(2).
function handler:close() end

return signal
