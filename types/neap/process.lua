---@meta neap.process
---Other programs, and what the system says of this process.
---
---A program is a *list*: its name and its arguments, as they are. No shell sees it, so
---nothing has to be quoted; for a shell there is `{ "sh", "-c", "ls -l | wc" }`. A name
---without a slash is looked for in the PATH that the program will have.
---
---It gets three files, and no other descriptor of ours, whoever opened it. No signal
---is blocked or ignored in it. It has a session of its own (unless its stdin is
---`"inherit"`): Ctrl-C at our terminal reaches us, and we end it; a signal to it
---reaches all that it has started.
---
---It belongs to whoever has started it, as a connection does: it ends with its
---version, or with the program, by SIGTERM and, 5 s later, SIGKILL; when it has gone,
---what is left of its group is killed. It is never left a zombie.
local process = {}

---The number of this process.
---@type integer
process.pid = 0

---The environment: variables are read and set as fields, nil removes one, `pairs` goes
---through them. It is that of the whole process: what a version sets is there for the
---next, and for every child. What is no string or number, and a name that cannot be
---one, raises.
---@type table<string, string>
process.env = {}

---Runs a program to its end, and returns what it has written.
---
---`status` is what it has exited with, 128 + the number where a signal has ended it:
---then `signal` is its name. Any status is a result, not a failure.
---
---| option | |
---|---|
---| `stdin` | a string: what it reads; without it that is empty |
---| `stdout`, `stderr` | `"pipe"` (default: comes back as a string), `"inherit"`, `"null"`, or an open file, of io's or `neap.fs`'s; `stderr = "stdout"`: both in one |
---| `cwd` | where it runs |
---| `env` | variables to be added or set; `false` removes one |
---| `inherit_env` | false: it gets no variable but those of `env` |
---| `timeout` | seconds; then it is ended, with its group |
---| `limit` | bytes of output, of both together, default 16 MB: a program that writes more is ended |
---
---It is over when the program has ended, and what lies in its pipes then has been
---read. Something that it leaves in the background is not waited for, and lives on.
---When the task that runs it is cancelled, it is ended with its group.
---All of it goes by real time; virtual time stands still meanwhile.
---
---Fails with ENOENT (no such program; no such `cwd`: the message says which), EACCES,
---E2BIG, EMFILE, EAGAIN (too many processes); with ETIMEDOUT and ENOBUFS (more than
---`limit`), and then there is a fourth value: the result, as far as it has come.
---Raises for a string in place of the list, what is no string in it, zeros, and
---options it does not know.
---
---```lua
---local process = require "neap.process"
---
---local result = assert(process.run { "printf", "%s", "hello" })
---print(result.status, result.stdout) --> 0	hello
---print(process.run({ "tr", "a-z", "A-Z" }, { stdin = "moon" }).stdout) --> MOON
---print(process.run { "nosuch" }) --> nil	run nosuch: no such file or directory	ENOENT
---local _, message, code, partial = process.run({ "sh", "-c", "echo so far; sleep 9" }, { timeout = 0.2 })
---print(message, code, partial.signal) --> run sh: timed out	ETIMEDOUT	TERM
---process.run({ "date" }, function(later) print(later.status) end):join() --> 0
---```
---
---Source: posix_spawn(3), waitpid(2); libuv: uv_pipe_open, uv_read_start.
---@param argv (string|number)[]
---@param options? neap.run_options
---@return neap.run_result? result
---@return string? message
---@return string? code
---@return neap.run_result? partial with ETIMEDOUT and ENOBUFS
---@overload fun(argv: (string|number)[], callback: fun(result?: neap.run_result, message?: string, code?: string, partial?: neap.run_result)): neap.task
---@overload fun(argv: (string|number)[], options: neap.run_options, callback: fun(result?: neap.run_result, message?: string, code?: string, partial?: neap.run_result)): neap.task
function process.run(argv, options) end

---@class neap.run_options
---@field stdin? string
---@field stdout? "pipe"|"inherit"|"null"|file*|neap.file
---@field stderr? "pipe"|"inherit"|"null"|"stdout"|file*|neap.file
---@field cwd? string
---@field env? table<string, string|number|false>
---@field inherit_env? boolean
---@field timeout? number seconds
---@field limit? integer bytes

---@class neap.run_result
---@field status integer
---@field signal string? `"KILL"`
---@field stdout string? nil where it went elsewhere
---@field stderr string? the same

---Starts a program, and returns while it runs.
---
---`stdin`, `stdout` and `stderr` are each `"pipe"` (default: a stream of the child's),
---`"inherit"` (ours), `"null"`, or an open file, of io's or `neap.fs`'s; `stderr = "stdout"` sends both to
---one. `cwd`, `env` and `inherit_env` are those of `process.run`.
---
---The program goes on while the child runs. Its pipes hold a little, then it waits for
---somebody to read; who does not want its output says `"null"`.
---
---`stdin = "inherit"` lets it share our terminal: it stays in our session, Ctrl-C
---reaches it as well as us, and a signal goes to it alone. (A script that shall
---survive that Ctrl-C takes it: `signal.on("INT", ...)`.)
---
---`detached = true`: it lives on when we end, and no program goes on for it. Its files
---are `"null"` unless something else is said.
---
---Fails as `process.run` does. Raises for a string in place of the list, zeros, and
---options it does not know. It does not wait, so it takes no callback.
---
---```lua
---local process = require "neap.process"
---
---local child <close> = assert(process.spawn { "cat" })
---child.stdin:write("one\ntwo\n")
---child.stdin:shutdown()
---for line in child.stdout:lines() do print(line) end
---print(child:wait())
-----> one
-----> two
-----> 0
---```
---
---Source: posix_spawn(3), pipe(2).
---@param argv (string|number)[]
---@param options? neap.spawn_options
---@return neap.child? child
---@return string? message
---@return string? code
function process.spawn(argv, options) end

---@class neap.spawn_options
---@field stdin? "pipe"|"inherit"|"null"|file*|neap.file
---@field stdout? "pipe"|"inherit"|"null"|file*|neap.file
---@field stderr? "pipe"|"inherit"|"null"|"stdout"|file*|neap.file
---@field cwd? string
---@field env? table<string, string|number|false>
---@field inherit_env? boolean
---@field detached? boolean

---Sends a signal to any process; to the group of that number where `pid` is negative.
---With 0 as the signal nothing is sent: it says whether there is such a process.
---
---Fails with ESRCH, EPERM. Raises for 0 and -1 (everybody), and for what is no signal.
---
---```lua
---local process = require "neap.process"
---
---print(process.kill(process.pid, 0)) --> true
---```
---
---Source: libuv: uv_kill; kill(2).
---@param pid integer
---@param signal? string|integer default "TERM"
---@return boolean? ok true
---@return string? message
---@return string? code
function process.kill(pid, signal) end

---The working directory.
---
---Fails with ENOENT (it has been removed).
---
---```lua
---local process = require "neap.process"
---
---print(process.cwd():sub(1, 1)) --> /
---```
---
---Source: libuv: uv_cwd.
---@return string? path
---@return string? message
---@return string? code
function process.cwd() end

---Changes the working directory: of the whole process, and so of every task. For a
---child there is its option `cwd`.
---
---Fails with ENOENT, ENOTDIR, EACCES.
---
---```lua
---local process = require "neap.process"
---
---assert(process.chdir(process.cwd()))
---print(select(3, process.chdir "/no/such/directory")) --> ENOENT
---```
---
---Source: libuv: uv_chdir.
---@param path string
---@return boolean? ok true
---@return string? message
---@return string? code
function process.chdir(path) end

---What `ps` shows for this process; with a text it is set before. There is as much
---room as the command line took; what is longer is cut off.
---
---```lua
---local process = require "neap.process"
---
---process.title "worker"
---print(process.title():sub(1, 4)) --> work
---```
---
---Source: libuv: uv_set_process_title, uv_get_process_title.
---@param text? string
---@return string? title
---@return string? message
---@return string? code
function process.title(text) end

---What memory there is, in bytes.
---
---```lua
---local process = require "neap.process"
---
---local memory = process.memory()
---print(memory.lua < memory.rss) --> true
---```
---
---Source: libuv: uv_resident_set_memory, uv_get_constrained_memory, uv_get_free_memory; lua_gc.
---@return neap.memory memory
function process.memory() end

---@class neap.memory
---@field rss integer of this process, resident
---@field peak integer the most it has been
---@field lua integer of Lua's values, garbage included
---@field limit integer of the machine, or of the control group we are in
---@field free integer of the machine, not in use

---The CPU time of this process so far, all its threads, in seconds.
---
---```lua
---local process = require "neap.process"
---
---local user, system = process.cpu()
---print(user + system > 0) --> true
---```
---
---Source: getrusage(2).
---@return number user
---@return number system
function process.cpu() end

---How long this process has been running, and the machine: seconds of real time.
---
---```lua
---local process = require "neap.process"
---
---local ours, machine = process.uptime()
---print(ours < machine) --> true
---```
---
---Source: libuv: uv_hrtime, uv_uptime.
---@return number ours
---@return number machine
function process.uptime() end

---The name of the machine.
---
---```lua
---local process = require "neap.process"
---
---print(#process.hostname() > 0) --> true
---```
---
---Source: libuv: uv_os_gethostname.
---@return string? name
---@return string? message
---@return string? code
function process.hostname() end

---How many processes like this one the machine can run side by side: its processors,
---as far as this one may use them.
---
---```lua
---local process = require "neap.process"
---
---print(process.parallelism() >= 1) --> true
---```
---
---Source: libuv: uv_available_parallelism.
---@return integer count
function process.parallelism() end

---The file of the program that runs: neap itself.
---
---```lua
---local process = require "neap.process"
---
---print(process.run({ process.exepath(), "-e", "io.write(_VERSION)" }).stdout) --> Lua 5.4
---```
---
---Source: libuv: uv_exepath.
---@return string? path
---@return string? message
---@return string? code
function process.exepath() end

---A program that `process.spawn` has started. It may be a `<close>` variable; one that
---nobody holds runs on, until it ends or whom it belongs to does.
---@class neap.child
---@field pid integer read only
---@field stdin neap.child_input? nil unless it is a pipe; read only
---@field stdout neap.child_output? the same
---@field stderr neap.child_output? the same
---@field closed boolean it has ended, or `close` was called; read only
local child = {}

---Waits for its end, and tells how that was: what it has exited with, 128 + the number
---where a signal has ended it; then its name. Any number of tasks may wait; who asks
---later is told the same.
---
---Fails with ETIMEDOUT.
---
---```lua
---local process = require "neap.process"
---
---local child <close> = assert(process.spawn { "sh", "-c", "read line; exit 3" })
---print(select(3, child:wait { timeout = 0.01 })) --> ETIMEDOUT
---child.stdin:write "\n"
---print(child:wait()) --> 3
---```
---
---Source: waitpid(2).
---@param options? { timeout?: number } seconds
---@return integer? status
---@return string? signal `"KILL"`; or, where it has failed, the message
---@return string? code
---@overload fun(self: neap.child, callback: fun(status?: integer, signal?: string, code?: string)): neap.task
---@overload fun(self: neap.child, options: { timeout?: number }, callback: fun(status?: integer, signal?: string, code?: string)): neap.task
function child:wait(options) end

---Sends a signal to it, and to what it has started.
---
---Fails with ESRCH: it has ended. Raises for what is no signal.
---
---```lua
---local process = require "neap.process"
---
---local child <close> = assert(process.spawn { "sleep", "100" })
---print(child:kill "KILL") --> true
---print(child:wait()) --> 137	KILL
---print(select(3, child:kill())) --> ESRCH
---```
---
---Source: kill(2).
---@param signal? string|integer default "TERM"
---@return boolean? ok true
---@return string? message
---@return string? code
function child:kill(signal) end

---Ends it: SIGTERM to it and what it has started, SIGKILL 5 s later; what is left of
---its group when it has gone is killed. Closes its pipes. It does not wait for that:
---`child:wait()` does. Of what has ended, or is closed already, it closes the pipes.
---
---```lua
---local process = require "neap.process"
---
---local child = assert(process.spawn { "sleep", "100" })
---child:close()
---print(child:wait()) --> 143	TERM
---```
---
---Source: kill(2).
function child:close() end

---What a child reads: written as a connection is.
---@class neap.child_input
---@field pending integer bytes that were written and that the system has not taken yet; read only
---@field closed boolean read only
local child_input = {}

---Writes a string, or the strings and numbers of a list. It waits above 64 KB that the
---child has not read, as `connection:write` does.
---
---Fails with EPIPE (it has ended, or reads no more), ETIMEDOUT, ECANCELED, ENOBUFS.
---
---```lua
---local process = require "neap.process"
---
---local child <close> = assert(process.spawn { "cat" })
---assert(child.stdin:write { "one ", 2, "\n" })
---print(child.stdout:read "l") --> one 2
---```
---
---Source: libuv: uv_try_write, uv_write.
---@param data string|number|(string|number)[]
---@param options? { timeout?: number } seconds
---@return neap.child_input? self
---@return string? message
---@return string? code
---@overload fun(self: neap.child_input, data: string|number|(string|number)[], callback: fun(self?: neap.child_input, message?: string, code?: string)): neap.task
---@overload fun(self: neap.child_input, data: string|number|(string|number)[], options: { timeout?: number }, callback: fun(self?: neap.child_input, message?: string, code?: string)): neap.task
function child_input:write(data, options) end

---That was all: when the child has read it, it sees the end. Waits until everything
---has been handed to the system, then closes.
---
---Fails with EPIPE, ETIMEDOUT, ECANCELED.
---
---```lua
---local process = require "neap.process"
---
---local child <close> = assert(process.spawn { "wc", "-c" })
---child.stdin:write "12345"
---child.stdin:shutdown()
---print(child.stdout:read "n") --> 5
---```
---
---Source: libuv: uv_shutdown, uv_close.
---@param options? { timeout?: number } seconds
---@return neap.child_input? self
---@return string? message
---@return string? code
---@overload fun(self: neap.child_input, callback: fun(self?: neap.child_input, message?: string, code?: string)): neap.task
---@overload fun(self: neap.child_input, options: { timeout?: number }, callback: fun(self?: neap.child_input, message?: string, code?: string)): neap.task
function child_input:shutdown(options) end

---Closes it; what has been written still goes out. The child sees the end.
---
---```lua
---local process = require "neap.process"
---
---local child <close> = assert(process.spawn { "cat" })
---child.stdin:close()
---print(child:wait()) --> 0
---```
---
---Source: libuv: uv_close.
function child_input:close() end

---What a child writes: read as a connection is. Nothing is read before somebody asks:
---a child that writes much waits for us.
---@class neap.child_output
---@field closed boolean read only
local child_output = {}

---Reads, with the formats of `connection:read`, and waits for what is not there yet.
---The end is a single nil: it has ended, and so has all that writes to the same pipe.
---
---Fails with ETIMEDOUT, ECANCELED, EMSGSIZE (a line or number above 1 MB). Raises
---where another task reads, and for wrong arguments.
---
---```lua
---local process = require "neap.process"
---
---local child <close> = assert(process.spawn { "printf", "12 moons" })
---print(child.stdout:read("n", "a")) --> 12	 moons
---```
---
---Source: libuv: uv_read_start.
---@param ... string|integer|{ timeout?: number } formats, then options: timeout in seconds
---@return string|number|nil ... one for each format
---@overload fun(self: neap.child_output, callback: fun(data?: string, message?: string, code?: string)): neap.task
---@overload fun(self: neap.child_output, format: string|integer, callback: fun(data?: string|number, message?: string, code?: string)): neap.task
---@overload fun(self: neap.child_output, format: string|integer, options: { timeout?: number }, callback: fun(data?: string|number, message?: string, code?: string)): neap.task
function child_output:read(...) end

---For a loop over what it writes, as it comes: each time a non-empty string.
---
---```lua
---local process = require "neap.process"
---
---local child <close> = assert(process.spawn { "printf", "%s", "moon" })
---for chunk in child.stdout:chunks() do print(chunk) end --> moon
---```
---
---Source: host/stream/read.c; libuv: uv_read_start.
---@return fun(output: neap.child_output): string? next
---@return neap.child_output output
function child_output:chunks() end

---For a loop over lines, without their line breaks.
---
---```lua
---local process = require "neap.process"
---
---local child <close> = assert(process.spawn { "printf", "tea\nmilk" })
---for line in child.stdout:lines() do print(line) end
-----> tea
-----> milk
---```
---
---Source: host/stream/read.c; libuv: uv_read_start.
---@return fun(output: neap.child_output): string? next
---@return neap.child_output output
function child_output:lines() end

---Closes it. A child that goes on writing gets SIGPIPE.
---
---```lua
---local process = require "neap.process"
---
---local child <close> = assert(process.spawn { "yes" })
---child.stdout:close()
---print(child:wait()) --> 141	PIPE
---```
---
---Source: libuv: uv_close.
function child_output:close() end

return process
