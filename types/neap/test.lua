---@meta neap.test
---What specs of asynchronous code need, in any busted spec that runs under `neap test`.
---
---All of it ends with its spec. What `clock`, `shuffle` and `leaks` return is kept in a
---`<close>` variable, or closed in `after_each`. What the others make is closed right after
---the spec, also when that fails, the newest first, before `after_each`; what was made
---outside of a spec, in `before_each` or `setup`, after its file. `<close>` is sooner.
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

---Captures what the process writes to stdout and stderr, until it is closed. That is all of
---it: what Lua prints, what C code and the host write, and children.
---
---It goes into files, so nobody waits for a reader. Captures may be inside each other. It
---ends with its block (`<close>`), also when that fails, and at the latest with the spec.
---
---Raises where no file can be made.
---
---```lua
---local test = require "neap.test"
---
---local stdout, stderr
---do
---  local captured <close> = test.capture()
---  io.write "hello"
---  io.stderr:write "oh\n"
---  stdout, stderr = captured:texts()
---end
---print(stdout, #stderr) --> hello	3
---```
---
---Source: modules/test/capture.c; POSIX: dup2.
---@return neap.test.capture capture
function test.capture() end

---Calls a function again and again until it returns a true value, and returns what it has
---returned. For what no read, join or callback can tell of. An error in it counts as "not
---yet".
---
---After `timeout` it fails the spec, at the line of the call, with the last value or error.
---It sleeps between two calls, 1 to 10 ms, by the clock of `neap.timer`, which may be virtual.
---
---Raises that failure; and for what is no function, or no number.
---
---```lua
---local neap, test, timer = require "neap", require "neap.test", require "neap.timer"
---
---local done
---neap.go(function() timer.sleep(0.01) done = "done" end)
---print(test.eventually(function() return done end)) --> done
---print(pcall(test.eventually, function() return nil end, 0.01)) --> false	not within 0.01 s: it returned nil
---```
---
---Source: modules/test/eventually.lua.
---@param fn fun(): ...
---@param timeout? number seconds, 5 unless it is given
---@return any ... what `fn` has returned
function test.eventually(fn, timeout) end

---A proxy that spoils the connections through it: connect to its address instead of
---`address`, and what goes *up*, to there, and *down*, back from there, meets the faults of
---the plan. Each has a field `at`, how many bytes have passed in this direction before it,
---and one of these:
---
---| fault | what happens |
---|---|
---| `delay = seconds` | what follows comes so much later |
---| `split = true` | what follows comes apart from what went before: two reads, for a reader in this process that waits |
---| `lose = count` | so many bytes are dropped, in silence; `true`: all that follow |
---| `finish = true` | an end of the stream: a half-close. What still comes is dropped; the other direction goes on |
---| `reset = true` | both ends see ECONNRESET |
---
---Bytes that are lost count, too. What happens depends on bytes alone, not on how they came
---in, so it is the same each time. Without faults it is a plain proxy. A function instead of
---a table is called with the number of each new connection, 1 is the first, and returns its
---plan or nil.
---
---It ends with its spec, as a `test.server` does; it connects to `address` only when somebody
---connects to it, and resets who comes where that fails.
---
---Raises for what is no address and no plan: an unknown direction, fault or value.
---
---```lua
---local test = require "neap.test"
---
---local echo <close> = test.server(function(conn)
---  for chunk in conn:chunks() do conn:write(chunk) end
---end)
---local faults <close> = test.faults(echo.address, {
---  down = { { at = 3, split = true }, { at = 5, reset = true } },
---})
---local conn = assert(faults:connect())
---conn:write "hello, moon"
---print(conn:read()) --> hel
---print(conn:read()) --> lo
---print(select(3, conn:read())) --> ECONNRESET
---```
---
---Source: modules/test/faults.lua; RFC 9293, 3.5.2 (reset), 3.6 (half-closed connections).
---@param address string
---@param plan? neap.test.fault_plan|fun(number: integer): neap.test.fault_plan?
---@return neap.test.faults faults
function test.faults(address, plan) end

---Begins to look for leaks: for what is started from now on and has not ended when the check
---is closed. That is every open handle (connection, server, timer, watcher, child) and every
---task, whoever started it. What was there before is no leak, nor is what is being closed,
---nor what ends with its spec anyway (`test.server` and the like): that is closed first.
---
---When the block ends the check fails the spec with a list of the leaks and their lines. Put
---it first in the block: variables are closed in reverse order.
---
---Raises where 16 checks are under way.
---
---```lua
---local neap, test, timer = require "neap", require "neap.test", require "neap.timer"
---
---local check <close> = test.leaks()
---local tick = timer.every(1, function() end)
---local task = neap.go(timer.sleep, 60)
---for _, leak in ipairs(check:list()) do print(leak.kind, leak.waits) end
-----> timer	nil
-----> task	sleep
---tick:close()
---task:cancel()
---```
---
---Source: modules/test/leaks.c.
---@return neap.test.leaks check
function test.leaks() end

---Starts a server on an address that nobody else has. It takes the same handlers as
---`net.listen`: a function or a table of events. When the spec is over it is closed, and all
---its connections are reset, at both ends where they were made by `server:connect`.
---
---Outside of a spec, in `before_each` or `setup`, it is closed when its file of specs is over,
---unless it is closed by hand.
---
---Raises for what is no handler, for unknown options, and where it cannot listen.
---
---```lua
---local test = require "neap.test"
---
---local server <close> = test.server { line = function(conn, line) conn:write(line:upper() .. "\n") end }
---local conn = assert(server:connect())
---conn:write "hello\n"
---print(conn:read "l", #server.connections) --> HELLO	1
---```
---
---Source: modules/test/server.lua.
---@param handler fun(conn: neap.connection)|neap.events
---@param options? { address?: string } where to listen; `"127.0.0.1:0"`, a free port, unless it is given
---@return neap.test.server server
function test.server(handler, options) end

---Runs a script in a neap of its own, and waits until it is ready. When the spec is over it is
---killed, if it still runs. All of its output is read, whether anybody asks for it or not.
---
---`script` is a file if it ends in `.lua`, otherwise the text of a script. The child is
---*ready* when its control socket answers, that is when its main chunk has run until it
---waited and lived for 50 ms, or when it has ended before. With `ready = PATTERN` it is when
---it has written a line to stdout that matches; that line is `child.ready`. With `ready =
---false` nobody waits.
---
---It has an `$XDG_RUNTIME_DIR` of its own, so that no other program sees it.
---
---Fails the spec where it does not get ready in time, with what it has written. Raises where
---it cannot be started, and for wrong arguments and unknown options.
---
---```lua
---local test = require "neap.test"
---
---local child <close> = test.spawn_neap([[
---  print("ready for " .. ...)
---  io.stdout:flush()
---  require "neap.timer".sleep(60)
---]], { "tea" }, { ready = "^ready" })
---print(child.ready) --> ready for tea
---child:signal "TERM"
---print((child:wait())) --> 0
---```
---
---| option | |
---|---|
---| `ready` | a pattern, or false: see above |
---| `timeout` | seconds until it has to be ready, 30 unless it is given |
---| `flags` | a list: options of neap, before the script |
---| `env` | a table: name to value, added to the environment; false removes one |
---| `cwd` | the directory that it runs in |
---| `program` | another program than the one that runs |
---
---Source: modules/test/spawn.c; libuv: uv_spawn, uv_process_kill.
---@param script string
---@param arguments? any[] its `...`
---@param options? { ready?: string|false, timeout?: number, flags?: string[], env?: table<string, string|false>, cwd?: string, program?: string }
---@return neap.test.child child
function test.spawn_neap(script, arguments, options) end

---Makes a directory, in `$TMPDIR` or `/tmp`. When the spec is over it is removed, with all
---that is in it; made outside of a spec, when its file of specs is.
---
---Raises where it cannot be made.
---
---```lua
---local test = require "neap.test"
---
---local dir <close> = test.tempdir()
---dir:write("conf/app.lua", "return 1")
---print(dofile(dir:path_of "conf/app.lua"), dir:read "conf/app.lua") --> 1	return 1
---```
---
---Source: POSIX: mkdtemp, nftw.
---@return neap.test.directory directory
function test.tempdir() end

---What `test.capture` returns.
---@class neap.test.capture
local capture = {}

---What has been written until now, or until it was closed.
---@return string stdout
---@return string stderr
function capture:texts() end

---The first of the two.
---@return string stdout
function capture:stdout() end

---The second.
---@return string stderr
function capture:stderr() end

---The lines of the host among those of stderr, without their "neap: ": failed tasks, leaks,
---reloads, tasks that hold the loop. (What follows in further lines is only in `stderr()`.)
---
---```lua
---local test = require "neap.test"
---
---local captured <close> = test.capture()
---io.stderr:write "neap: reloaded\nanother line\n"
---local lines = captured:log()
---captured:close()
---print(#lines, lines[1]) --> 1	reloaded
---```
---@return string[] lines
function capture:log() end

---Ends it: stdout and stderr are what they were. So are those that began after it. Closing
---twice does nothing more.
---@return string stdout
---@return string stderr
function capture:close() end

---Faults of each direction, see `test.faults`.
---@class neap.test.fault_plan
---@field up? neap.test.fault[] from who connects to the address
---@field down? neap.test.fault[] from the address back

---One of them: `at`, and one of the others.
---@class neap.test.fault
---@field at integer how many bytes have passed before
---@field delay? number seconds
---@field split? true
---@field lose? integer|true bytes
---@field finish? true
---@field reset? true

---What `test.faults` returns.
---@class neap.test.faults
---@field address string of the proxy
---@field failure string? why it could not connect, the last time
local faults = {}

---Connects to the proxy; the connection is reset when that is closed.
---
---Fails as `net.connect` does.
---@param options? { timeout?: number }
---@return neap.connection? conn
---@return string? message
---@return string? code
function faults:connect(options) end

---Ends the proxy and resets all of its connections. Closing twice does nothing.
function faults:close() end

---What `test.leaks` returns.
---@class neap.test.leaks
local check = {}

---What has begun and not ended until now. What is on its way out is given some turns of the
---loop; nothing is closed.
---@return neap.test.leak[] leaks
function check:list() end

---Closes what ends with the spec anyway, and ends the check. For runners: it does not fail.
---
---```lua
---local net, test = require "neap.net", require "neap.test"
---
---local check = test.leaks()
---local server = assert(net.listen("127.0.0.1:0", function() end))
---local leak = check:finish()[1]
---print(leak.kind, tostring(leak):match "a server of .* was left open" ~= nil) --> server	true
---server:close()
---```
---@return neap.test.leak[] leaks
function check:finish() end

---What begins from now on does not count; what ends until `check:finish` has not leaked. For
---runners: busted tells that a spec has ended before its `after_each` is called.
---
---```lua
---local test, timer = require "neap.test", require "neap.timer"
---
---local check = test.leaks()
---local closed_later = timer.every(1, function() end)
---check:stop()
---local another = timer.every(1, function() end)
---closed_later:close()
---print(#check:finish()) --> 0
---another:close()
---```
function check:stop() end

---As `check:finish`, but fails the spec where there are leaks, at the line of the call. A `<close>`
---variable does this, unless its block has failed already.
---
---Raises that failure.
function check:close() end

---A leak. `tostring` makes a line of it.
---@class neap.test.leak
---@field kind string `"task"`, `"connection"`, `"server"`, `"timer"`, `"watcher"`, `"child"`
---@field name string? of a task
---@field where string? the line that created it; of a task: where it waits
---@field started string? of a task: the line that started it
---@field waits string? of a task: what for

---What `test.server` returns.
---@class neap.test.server
---@field address string
---@field connections neap.connection[] all that it has accepted, in their order
local server = {}

---Connects to it; the connection is reset when the server is closed.
---
---Fails as `net.connect` does.
---@param options? { timeout?: number }
---@return neap.connection? conn
---@return string? message
---@return string? code
function server:connect(options) end

---Ends it and resets all of its connections. Closing twice does nothing.
function server:close() end

---What `test.spawn_neap` returns.
---@class neap.test.child
---@field pid integer
---@field ready string|boolean? the line that said it was ready
local child = {}

---Waits for the next line that it writes to stdout, and returns it without its line break.
---Nil: it has ended, and there is none.
---
---Raises when none comes in time, with what it has written.
---@param timeout? number seconds, 30 unless it is given
---@return string? line
function child:line(timeout) end

---All that it has written to stdout until now, also what `child:line` has returned.
---@return string
function child:output() end

---All that it has written to stderr until now.
---@return string
function child:stderr() end

---Sends it a signal.
---
---Raises for a name that is none of HUP, INT, QUIT, KILL, USR1, USR2, PIPE, TERM, CONT, STOP.
---@param name string|integer `"TERM"`
---@return boolean sent false: it has ended
function child:signal(name) end

---Waits until it has ended, and all of its output has been read.
---
---Raises when it has not ended in time, with what it has written.
---@param timeout? number seconds, 30 unless it is given
---@return integer code its exit status; 128 + the number of the signal that has ended it
---@return string stdout all of it
---@return string stderr
function child:wait(timeout) end

---Kills it, if it still runs. Closing twice does nothing.
function child:close() end

---What `test.tempdir` returns.
---@class neap.test.directory
---@field path string
local directory = {}

---The path of what has this name in it, whether it is there or not.
---
---Raises for a name that leads out of it.
---@param name string
---@return string path
function directory:path_of(name) end

---Writes a file, and makes the directories that its name has.
---
---Raises where that fails.
---@param name string `"conf/app.lua"`
---@param text string
---@return string path of the file
function directory:write(name, text) end

---Reads a file.
---
---Fails as `io.open` does.
---@param name string
---@return string? text
---@return string? message
function directory:read(name) end

---Removes it with all that is in it. Closing twice does nothing.
function directory:close() end

return test
