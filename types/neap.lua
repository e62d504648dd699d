---@meta neap
---Tasks: start them, wait for them, end them, see them.
---
---A *task* is a function that runs on the event loop, with a Lua stack of its
---own. Everything runs in a task: the script, each connection's handler, each
---callback, each tick of a timer, each busted spec. One task runs at a time;
---when it waits, the loop goes on with the others.
---
---Four rules hold for every function of every module:
---
---- A function that waits parks its task and returns when the result is there.
---  Given a function as its last argument it returns at once, and that function
---  is later called in a task of its own, with the same values.
---- What can be expected to fail returns `nil, message, code`. The message is
---  for people and names what it was about, the code is a stable name such as
---  `"ECONNREFUSED"`. Wrong arguments raise an error.
---- Times are seconds, integers or fractions. Sizes are bytes.
---- Cancellation and the end of the program unwind a task where it waits:
---  `pcall` does not stop that, `__close` handlers run.
local neap = {}

---What follows the script on the command line: `arg[1]`, `arg[2]` and so on.
---@type string[]
neap.args = {}

---The version of this program, such as `"0.1.0"`.
---@type string
neap.version = ""

---Standard input as a stream. Made when it is first asked for, as the two below.
---@type neap.stdin
neap.stdin = nil

---Standard output: what `print` writes to, for those who can wait.
---@type neap.output
neap.stdout = nil

---Standard error.
---@type neap.output
neap.stderr = nil

---Starts a task and returns at once; the task begins when the running one waits
---or ends.
---
---It belongs to whoever it is started for: what a connection's handler starts
---may finish, but is not cancelled with it. What should end with its starter
---belongs into a `neap.group`.
---
---An error in the task ends that task alone. Somebody who waits in `task:join`
---gets it; otherwise it is reported, see `neap.on_error`, and the program's exit
---status becomes 1.
---
---Raises where the first argument is no function, and where nothing may be
---started any more: the program ends.
---
---```lua
---local neap, timer = require "neap", require "neap.timer"
---
---local task = neap.go(function(a, b)
---  timer.sleep(0.01)
---  return a + b
---end, 2, 3)
---print(task:join()) --> 5
---```
---
---Source: host/task.c; the queue stands between two calls of libuv: uv_run.
---@param fn fun(...): ... what the task runs
---@param ... any the arguments of `fn`
---@return neap.task task
function neap.go(fn, ...) end

---Runs `fn(group, ...)` and waits until it and all tasks that were started with
---`group:go` have ended.
---
---The first error cancels the other tasks and is raised here, after they have
---ended. When the caller is cancelled, so are they. So nothing outlives the call.
---
---Raises what a task of the group has raised; and where `fn` is no function or
---the caller cannot wait. There is no form with a callback: `neap.go` it.
---
---```lua
---local neap, timer = require "neap", require "neap.timer"
---
---local slow, fast
---print(neap.group(function(group)
---  group:go(function() timer.sleep(0.02) slow = true end)
---  group:go(function() timer.sleep(0.01) fast = true end)
---  return "both"
---end)) --> both
---print(slow, fast) --> true	true
---```
---
---Source: modules/neap/scope.c.
---@param fn fun(group: neap.group, ...): ... the body, a task like the others
---@param ... any further arguments of `fn`
---@return any ... what `fn` has returned
function neap.group(fn, ...) end

---Runs `fn(...)` as a task and waits for it, for so many seconds at most.
---
---What takes longer is cancelled where it waits, with all that it has started in
---groups, and the caller goes on when it has ended: `__close` handlers have run.
---A function that does not wait cannot be cancelled: a loop that only counts
---runs on past its deadline.
---
---Fails with ETIMEDOUT: `nil, "deadline of 0.01 s: timed out", "ETIMEDOUT"`.
---Raises what `fn` raises, and for a time that is negative or no number. There is
---no form with a callback: `neap.go` it.
---
---```lua
---local neap, timer = require "neap", require "neap.timer"
---
---print(neap.deadline(0.01, timer.sleep, 60)) --> nil	deadline of 0.01 s: timed out	ETIMEDOUT
---print(neap.deadline(1, function() return "in time" end)) --> in time
---```
---
---Source: modules/neap/scope.c; libuv: uv_hrtime.
---@param seconds number 0 to 1e9
---@param fn fun(...): ...
---@param ... any the arguments of `fn`
---@return any ... what `fn` has returned, or nil
---@return string? message
---@return string? code `"ETIMEDOUT"`
function neap.deadline(seconds, fn, ...) end

---Sets the function that is told of errors which end a task and which nobody
---else takes (a `join` or a group). Without it they are written to stderr.
---
---It is called in a task of its own, so it may wait: `fn(error, traceback, info)`.
---The error is what was raised, of any type. If the function fails itself, both
---errors go to stderr. A failed task counts for the exit status in either case.
---`neap.on_error(nil)` goes back to stderr.
---
---Raises for what is neither a function nor nil.
---
---```lua
---local neap = require "neap"
---
---neap.on_error(function(message, traceback, info)
---  print(info.name, type(traceback), (message:gsub("^.*: ", "")))
---end)
---neap.go(function() error "no more tea" end).name = "kitchen"
-----> kitchen	string	no more tea
---```
---
---Source: host/report.c.
---@param fn? fun(error: any, traceback: string, info: neap.failure)
function neap.on_error(fn) end

---Waits until a file descriptor is ready, for libraries in C that know nothing of
---this loop: a database client, a serial port, a socket of LuaSocket.
---
---A descriptor is ready when the library's next `read` or `write` would not block:
---there is data or room, or an end or an error to be told of. Returns what is
---ready of what was asked for. A plain file always is.
---
---What a library has read ahead into memory of its own is not seen here (a file of
---`io`, TLS): ask the library first. Any number of tasks may wait for the same
---descriptor. They wait for what is open there when they begin: if the library
---closes it meanwhile, end the waits yourself, or let them have a `timeout`.
---
---Fails with ETIMEDOUT, with EBADF for what is not open, and with EMFILE (a wait
---needs a descriptor of its own). Raises for other arguments, and for a file that
---is closed.
---
---```lua
---local neap = require "neap"
---
---local child <close> = io.popen "sleep 0.02; echo tea"
---print(neap.poll(child, "r", 0.001) == nil) --> true
---print(neap.poll(child, "r")) --> r
---print(child:read "l") --> tea
---```
---
---Source: poll(2); libuv: uv_poll_init, uv_poll_start.
---@param fd integer|file*|table|userdata a descriptor, a file of `io`, or an object with a method `getfd` or `fileno`
---@param events "r"|"w"|"rw" to be read, to be written, or either
---@param options? number|{ timeout?: number } seconds
---@return ("r"|"w"|"rw")? ready
---@return string? message
---@return string? code `"ETIMEDOUT"`, `"EBADF"`, `"EMFILE"`
---@overload fun(fd: integer|file*|table|userdata, events: "r"|"w"|"rw", callback: fun(ready?: string, message?: string, code?: string)): neap.task
---@overload fun(fd: integer|file*|table|userdata, events: "r"|"w"|"rw", options: number|{ timeout?: number }, callback: fun(ready?: string, message?: string, code?: string)): neap.task
function neap.poll(fd, events, options) end

---Says that this version of the program has started, where its main chunk does not
---return: it waits for something, or loops. Without this call start-up is over when
---the main chunk returns.
---
---When the program is reloaded it ends *prepare*: the new version may go live, and what
---it has started begins (servers, timers, tasks). Until then all that waits, but the
---main chunk itself does not. A version that is not ready within 10 seconds
---(`--reload-limit`) is given up; under `--watch` also the first one. Called a second
---time, or when the program runs already, it does nothing.
---
---```lua
---local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
---
---local server = assert(net.listen("127.0.0.1:0", function(conn) conn:write("hello\n") end))
---neap.ready()
---timer.sleep(0.01) -- and whatever else the main chunk does
---server:close()
---```
---
---Source: host/generation.h, host/main_task.c.
function neap.ready() end

---Ends the program: every task is cancelled where it waits, `__close` handlers
---run (and may wait for 5 seconds in all), what the sockets take at once goes out, all
---handles are closed. It does not return. `os.exit` is the same function.
---
---Ending in good order, where each connection may finish what it is doing, is
---what SIGTERM and SIGINT ask for.
---
---Raises for a code that is no integer and no boolean.
---
---```lua
---local neap = require "neap"
---
---neap.go(function() neap.exit(0) end)
---```
---
---Source: host/loop.c, loop_stop; libuv: uv_stop.
---@param code? integer|boolean the exit status: its lowest 8 bits; true, or nothing, is 0, false is 1
function neap.exit(code) end

---Lists every task that has not ended, oldest first. SIGUSR1 prints the same to
---stderr, also while Lua is busy.
---
---```lua
---local neap, timer = require "neap", require "neap.timer"
---
---neap.go(timer.sleep, 60).name = "sleeper"
---timer.sleep(0)
---for _, task in ipairs(neap.tasks()) do
---  if task.state == "waiting" then print(task.name, task.waits) end
---end
-----> sleeper	sleep
---neap.exit()
---```
---
---Source: host/task_list.c.
---@return neap.task_info[] tasks
function neap.tasks() end

---What `neap.go` returns, and a call that was given a callback.
---It outlives its task, and keeps how that has ended.
---@class neap.task
---@field id integer unlike that of any other task of this process; read only
---@field name string? what lists and reports call it: `"task"`, unless it is set; nil when it has ended
---@field status string where it is: `"ready"`, `"running"`, `"waiting"`, `"staged"` (begins when its version goes live); or how it ended: `"done"`, `"failed"`, `"cancelled"`; read only
local task = {}

---Waits until the task has ended, and returns what its function has returned.
---Any number of tasks may wait, also after its end: all get the same.
---
---Fails with ECANCELED when the task was cancelled, and with ETIMEDOUT when it
---takes longer than `timeout`: then the task itself goes on.
---Raises the error that has ended the task, as it was raised; and where a task
---joins itself, or the arguments are wrong.
---
---```lua
---local neap, timer = require "neap", require "neap.timer"
---
---local task = neap.go(function() timer.sleep(0.02) return "tea", 2 end)
---print(task:join { timeout = 0.001 }) --> nil	join: timed out	ETIMEDOUT
---print(task:join()) --> tea	2
---task:join(function(what, cups) print(cups, what) end):join() --> 2	tea
---
---local failing = neap.go(function() error { cups = 0 } end)
---local ok, err = pcall(failing.join, failing)
---print(ok, err.cups) --> false	0
---```
---
---Source: host/task_object.c.
---@param options? { timeout?: number } seconds
---@return any ... what the task's function has returned, or nil
---@return string? message
---@return string? code `"ECANCELED"`, `"ETIMEDOUT"`
---@overload fun(self: neap.task, callback: fun(...: any)): neap.task
---@overload fun(self: neap.task, options: { timeout?: number }, callback: fun(...: any)): neap.task
function task:join(options) end

---Cancels the task: it ends where it waits, or where it next waits. One that has
---not begun never will. The `__close` handlers on its way out run, and may wait
---for 5 seconds in all. Of a call with a callback: the callback is not called.
---
---```lua
---local neap, timer = require "neap", require "neap.timer"
---
---local task = neap.go(function()
---  local _ <close> = setmetatable({}, { __close = function() print "cleaned up" end })
---  timer.sleep(60)
---end)
---timer.sleep(0) -- it begins
---print(task:cancel()) --> true
---print(task:join())
-----> cleaned up
-----> nil	join: operation canceled	ECANCELED
---print(task.status, task:cancel()) --> cancelled	false
---```
---
---Source: host/cancel.h, host/task.c.
---@return boolean was_alive false: it had ended before
function task:cancel() end

---What the body of `neap.group` is given.
---@class neap.group
local group = {}

---Starts a task of the group, as `neap.go` does. Tasks of the group may do so too.
---
---Raises where the group is over: all its tasks have ended.
---
---```lua
---local neap, timer = require "neap", require "neap.timer"
---
---local ok, err = pcall(neap.group, function(group)
---  group:go(timer.sleep, 60) -- is cancelled
---  group:go(error, "broken", 0)
---end)
---print(ok, err) --> false	broken
---```
---
---Source: modules/neap/scope.c.
---@param fn fun(...): ...
---@param ... any the arguments of `fn`
---@return neap.task task
function group:go(fn, ...) end

---Standard input: a terminal, a pipe, a socket or a file, read without holding the
---loop.
---
---It is the same for all versions of a program: after a reload the next one reads on
---where the last one has stopped, and no byte is lost. It is only read while somebody
---waits for it: it keeps no program alive, and leaves to children what was not asked
---for. `io.read` has a buffer of its own: a script uses one or the other.
---@class neap.stdin
---@field is_terminal boolean somebody may sit at it; read only
---@field closed boolean read only
local stdin = {}

---Reads, with the formats of `io.read`, and waits for what is not there yet: as
---`connection:read` does, see there.
---
---The end of the input is a single nil. Fails with ETIMEDOUT (nothing is lost: read
---again), ECANCELED (the program ends, or it was closed meanwhile), EMSGSIZE (a line or
---number above 1 MB), and with what the system says, as EISDIR. Raises where another
---task reads, after `close`, and for wrong arguments.
---
---```lua
---local neap = require "neap"
---
---local name, message, code = neap.stdin:read("l", { timeout = 5 })
---if not name then print("nobody there", code) end --> nobody there	nil
---```
---
---Source: modules/neap/input.c; libuv: uv_poll_start; for files uv_queue_work.
---@param ... string|integer|{ timeout?: number } formats, then options: timeout in seconds
---@return string|number|nil ... one for each format
---@overload fun(self: neap.stdin, callback: fun(data?: string, message?: string, code?: string)): neap.task
---@overload fun(self: neap.stdin, format: string|integer, callback: fun(data?: string|number, message?: string, code?: string)): neap.task
---@overload fun(self: neap.stdin, format: string|integer, options: { timeout?: number }, callback: fun(data?: string|number, message?: string, code?: string)): neap.task
function stdin:read(...) end

---For a loop over lines, without their line breaks. It ends with the input, and also
---with an error: who has to tell these apart reads.
---
---```lua
---local neap = require "neap"
---
---local count = 0
---for _ in neap.stdin:lines() do count = count + 1 end
---print(count, "lines") --> 0	lines
---```
---
---Source: host/stream/read.c.
---@return fun(stdin: neap.stdin): string? next
---@return neap.stdin stdin
function stdin:lines() end

---For a loop over what comes, as it comes: each time a non-empty string. It ends as
---`lines` does.
---
---```lua
---local neap = require "neap"
---
---for chunk in neap.stdin:chunks() do assert(neap.stdout:write(chunk)) end
---```
---
---Source: host/stream/read.c.
---@return fun(stdin: neap.stdin): string? next
---@return neap.stdin stdin
function stdin:chunks() end

---Makes the terminal raw: each key comes at once and is not shown, Ctrl-C is the byte 3
---and not a signal. `false` puts back what was there before. The end of the program does
---that too, however it comes (but for SIGKILL).
---
---Fails with ENOTTY where standard input is no terminal. Raises for what is no boolean,
---and after `close`.
---
---```lua
---local neap = require "neap"
---
---if neap.stdin:raw(true) then
---  local key = neap.stdin:read(1)
---  neap.stdin:raw(false)
---  print("you pressed", key)
---end
---```
---
---Source: tcsetattr(3).
---@param raw boolean
---@return neap.stdin? stdin
---@return string? message
---@return string? code
function stdin:raw(raw) end

---How big the window of the terminal is. Where it changes the process gets the signal
---WINCH.
---
---Fails with ENOTTY where it is no terminal.
---
---```lua
---local neap = require "neap"
---
---print(neap.stdin:size()) --> nil	size of stdin: inappropriate ioctl for device	ENOTTY
---```
---
---Source: ioctl_tty(2), TIOCGWINSZ.
---@return integer? columns
---@return integer|string rows or a message
---@return string? code
function stdin:size() end

---Reads no more, for this program and the versions that follow while somebody holds it;
---a read that waits fails with ECANCELED. The descriptor stays open, for children.
---
---```lua
---local neap = require "neap"
---
---neap.stdin:close()
---print(neap.stdin.closed) --> true
---```
---
---Source: libuv: uv_close.
function stdin:close() end

---Standard output or standard error.
---
---`print`, `io.write` and reports go the same way, in the order of the calls. What a
---pipe, a terminal or a socket does not take at once is queued, and the loop goes on; the
---end of the program waits until all is out. Files are written directly.
---@class neap.output
---@field is_terminal boolean somebody may look at it; read only
---@field pending integer bytes that were written and that the system has not taken yet; read only
local output = {}

---Writes a string, or the strings and numbers of a list, one after the other.
---
---It returns when the bytes are on their way: with the system, or in the queue. Above
---64 KB in that it waits until half of it has gone: so a slow reader slows down its
---writer, and nobody else. (`print` never waits. Beyond 16 MB it blocks.)
---
---Fails with EPIPE (nobody reads it any more), ENOSPC (a file on a full disk), ETIMEDOUT
---(it stays queued), and with what else the system says. Raises for wrong arguments.
---
---```lua
---local neap = require "neap"
---
---assert(neap.stdout:write { "tea for ", 2, "\n" })
---neap.stdout:write("no hurry\n", function(out, message) print(out == neap.stdout) end):join() --> true
---```
---
---Source: modules/neap/output.c, host/sink.c: write(2), libuv: uv_poll_start.
---@param data string|(string|number)[]
---@param options? { timeout?: number } seconds
---@return neap.output? output
---@return string? message
---@return string? code
---@overload fun(self: neap.output, data: string|(string|number)[], callback: fun(output?: neap.output, message?: string, code?: string)): neap.task
---@overload fun(self: neap.output, data: string|(string|number)[], options: { timeout?: number }, callback: fun(output?: neap.output, message?: string, code?: string)): neap.task
function output:write(data, options) end

---Waits until the system has taken everything, also what was printed before.
---
---Fails as `write` does. Raises for wrong arguments.
---
---```lua
---local neap = require "neap"
---
---io.write("almost there")
---assert(neap.stdout:flush())
---print(neap.stdout.pending) --> 0
---```
---
---Source: modules/neap/output.c.
---@param options? { timeout?: number } seconds
---@return neap.output? output
---@return string? message
---@return string? code
---@overload fun(self: neap.output, callback: fun(output?: neap.output, message?: string, code?: string)): neap.task
---@overload fun(self: neap.output, options: { timeout?: number }, callback: fun(output?: neap.output, message?: string, code?: string)): neap.task
function output:flush(options) end

---How big the window of the terminal is. Where it changes the process gets the signal
---WINCH.
---
---Fails with ENOTTY where it is no terminal.
---
---```lua
---local neap = require "neap"
---
---local columns = neap.stdout:size() or 80
---print(math.type(columns)) --> integer
---```
---
---Source: ioctl_tty(2), TIOCGWINSZ.
---@return integer? columns
---@return integer|string rows or a message
---@return string? code
function output:size() end

---What `neap.tasks` says of a task.
---@class neap.task_info
---@field id integer
---@field name string
---@field state string `"running"`, `"ready"`, `"waiting"`, `"staged"`
---@field age number seconds since it was started
---@field waits string? what it waits for: `"sleep"`, `"read"`, `"join"` and so on
---@field waited number? seconds it has waited
---@field where string? the line it runs or waits on: `"app.lua:12"`
---@field started string? the line that has started it
---@field parent integer the id of the task that has started it; 0: the host
---@field owner string `"background"`, or `"connection"`: it serves one
---@field generation integer the version of the program that it runs

---What `neap.on_error` is told of a failed task.
---@class neap.failure
---@field id integer
---@field name string
---@field parent integer the id of the task that has started it; 0: the host
---@field started string? the line that has started it

return neap
