/* spawn.c - process.spawn: a child beside us, its standard files as streams.
 *
 * The streams are its box's user values: they live as long as that, or as long
 * as a script holds them. The pipes are made before it is, so that what fails
 * has nothing to end; they are real pipes, not sockets, as a shell would give
 * it. Its output is read when somebody asks for it. */
#include <lauxlib.h>
#include <unistd.h>

#include "host/child.h"
#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/signal_names.h"
#include "host/stream/stream.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/process/command.h"
#include "modules/process/process.h"

static const char class_name[] = "neap.child";
static const char input_class[] = "neap.child_input";
static const char output_class[] = "neap.child_output";

static const char *const file_names[] = {"stdin", "stdout", "stderr"};

/* ---- its pipes ----------------------------------------------------------- */

struct pipe {
  struct stream stream; /* first member */
  int file, pid;        /* which one, and whose */
};

static void push_name(lua_State *L, const struct stream *stream) {
  const struct pipe *pipe = (const struct pipe *)stream;
  lua_pushfstring(L, "%s of process %d", file_names[pipe->file], pipe->pid);
}

static const struct stream_kind input_kind = {.work = {.name = "pipe",
                                                       .stop = handle_stop,
                                                       .drain = stream_drain,
                                                       .lasts = true},
                                              .class_name = input_class,
                                              .size = sizeof(struct pipe),
                                              .push_name = push_name};

static const struct stream_kind output_kind = {.work = {.name = "pipe",
                                                        .stop = handle_stop,
                                                        .drain = stream_drain,
                                                        .lasts = true},
                                               .class_name = output_class,
                                               .size = sizeof(struct pipe),
                                               .push_name = push_name};

/* Pushes it; it has no descriptor yet, for this may raise. NULL without memory. */
static struct stream *push_pipe(lua_State *L, struct owner *owner, int file) {
  const struct stream_kind *kind =
    file == STDIN_FILENO ? &input_kind : &output_kind;
  struct box *box = handle_push_empty_box(L, kind->class_name, 0);
  struct stream *stream = stream_new(host_of(L), owner, UV_NAMED_PIPE, kind);
  if (stream == NULL) return NULL;
  ((struct pipe *)stream)->file = file;
  stream->handle.origin = origin_here(L);
  handle_fill_box(box, &stream->handle);
  return stream;
}

/* ---- its beginning ------------------------------------------------------- */

struct spawned {
  struct child child; /* first member */
  int theirs[3];      /* ends of pipes that are to be closed here, or -1 */
};

static void close_theirs(struct spawned *spawned) {
  for (int i = 0; i < 3; i++) {
    if (spawned->theirs[i] >= 0) close(spawned->theirs[i]);
    spawned->theirs[i] = -1;
  }
}

static void on_close(struct handle *h) {
  close_theirs((struct spawned *)h);
}

/* The box lies at `box`. */
static int make_pipe(lua_State *L, int box, struct launch *l, int file) {
  struct spawned *spawned =
    (struct spawned *)((struct box *)lua_touserdata(L, box))->handle;
  struct owner *owner = spawned->child.handle.work.owner;
  if (l->files[file] == FILE_AS_OUTPUT)
    l->files[file] = l->files[STDOUT_FILENO];
  if (l->files[file] != FILE_PIPE) return 0;
  struct stream *stream = push_pipe(L, owner, file);
  lua_setiuservalue(L, box, file + 1);
  if (stream == NULL) return UV_ENOMEM;
  int fd = command_pipe(l, file, &spawned->theirs[file]);
  if (fd < 0) return fd;
  int status = uv_pipe_open(&stream->uv.pipe, fd);
  if (status < 0) close(fd);
  return status;
}

static struct handle *get_pipe(lua_State *L, int box, int file) {
  struct handle *h = NULL;
  if (lua_getiuservalue(L, box, file + 1) == LUA_TUSERDATA)
    h = ((struct box *)lua_touserdata(L, -1))->handle;
  lua_pop(L, 1);
  return h;
}

static void close_pipes(lua_State *L, int box) {
  for (int i = 0; i < 3; i++) {
    struct handle *h = get_pipe(L, box, i);
    if (h != NULL) handle_end(h);
  }
}

static int start(lua_State *L, int box, struct launch *l) {
  struct spawned *spawned =
    (struct spawned *)((struct box *)lua_touserdata(L, box))->handle;
  int status = 0;
  for (int i = 0; i < 3 && status == 0; i++) status = make_pipe(L, box, l, i);
  if (status == 0) status = child_start(&spawned->child, l);
  close_theirs(spawned);
  if (status < 0) {
    close_pipes(L, box);
    handle_end(&spawned->child.handle);
    return status;
  }
  for (int i = 0; i < 3; i++) {
    struct handle *h = get_pipe(L, box, i);
    if (h != NULL) ((struct pipe *)h)->pid = spawned->child.pid;
  }
  return 0;
}

static int push_child(lua_State *L, struct owner *owner, bool detached) {
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, class_name, 3);
  struct child *child =
    child_new(host_of(L), sizeof(struct spawned), owner, detached);
  if (child == NULL) return luaL_error(L, "not enough memory for a process");
  for (int i = 0; i < 3; i++) ((struct spawned *)child)->theirs[i] = -1;
  child->handle.on_close = on_close;
  if (!detached) child->handle.origin = origin; /* else it is no leak */
  handle_fill_box(box, &child->handle);
  return lua_gettop(L);
}

static bool check_detached(lua_State *L) {
  if (lua_isnil(L, 2)) return false;
  if (lua_getfield(L, 2, "detached") != LUA_TNIL && !lua_isboolean(L, -1))
    luaL_argerror(L, 2, "detached is true or false");
  return lua_toboolean(L, -1);
}

/* process.spawn(list [, options]) */
int process_spawn(lua_State *L) {
  static const char *const options[] = {
    "cwd", "detached", "env", "inherit_env", "stderr", "stdin", "stdout", NULL};
  struct launch l;
  option_arguments(L, 1, options);
  luaL_argcheck(L, lua_isnil(L, 3), 3, "no callback: it does not wait");
  command_check(L, &l);
  bool detached = check_detached(L);
  for (int i = 0; i < 3; i++)
    command_check_file(L, &l, i, file_names[i],
                       detached ? LAUNCH_NULL : FILE_PIPE);
  if (detached) l.shares = false;
  int status = l.cwd != NULL ? launch_check_cwd(l.cwd) : 0;
  if (status < 0) return command_error(L, status, "spawn", true);
  int box = push_child(L, owner_here(L), detached);
  status = start(L, box, &l);
  if (status < 0) return command_error(L, status, "spawn", false);
  lua_settop(L, box);
  return 1;
}

/* ---- child:wait([options] [, callback]) ---------------------------------- */

static struct child *check(lua_State *L) {
  return handle_check_any(L, 1, class_name);
}

static int wait_finish(lua_State *L) {
  const struct child *child = check(L);
  if (child_runs(child)) {
    lua_pushfstring(L, "wait for process %d", child->pid);
    int status = wait_status(L);
    return error_result(L, status < 0 ? status : UV_ECANCELED,
                        lua_tostring(L, -1));
  }
  lua_pushinteger(L, child->status);
  if (child->signal == 0) return 1;
  lua_pushstring(L, signal_name(child->signal));
  return 2;
}

static const struct wait child_wait = {"child", wait_finish, NULL};

static int wait_for_child(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct child *child = check(L);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  struct task *task = wait_begin(L, &child_wait, 3);
  if (!child_runs(child)) return wait_pass(L, task, &child->waiters);
  child_hold(child);
  return wait_park(L, task, &child->waiters, timeout);
}

/* ---- child:kill([signal]), child:close() --------------------------------- */

static int kill_child(lua_State *L) {
  const struct child *child = check(L);
  int number = lua_isnoneornil(L, 2) ? SIGTERM : signal_check(L, 2);
  int status = child_signal(child, number);
  if (status < 0) {
    lua_pushfstring(L, "kill process %d", child->pid);
    return error_result(L, status, lua_tostring(L, -1));
  }
  lua_pushboolean(L, 1);
  return 1;
}

static int close_child(lua_State *L) {
  struct child *child = check(L);
  close_pipes(L, 1);
  handle_end(&child->handle);
  return 0;
}

/* ---- classes ------------------------------------------------------------- */

static int get_pid(lua_State *L) {
  lua_pushinteger(L, check(L)->pid);
  return 1;
}

static int get_stdin(lua_State *L) {
  check(L);
  lua_getiuservalue(L, 1, STDIN_FILENO + 1);
  return 1;
}

static int get_stdout(lua_State *L) {
  check(L);
  lua_getiuservalue(L, 1, STDOUT_FILENO + 1);
  return 1;
}

static int get_stderr(lua_State *L) {
  check(L);
  lua_getiuservalue(L, 1, STDERR_FILENO + 1);
  return 1;
}

static const luaL_Reg input_methods[] = {
  {"close", handle_method_close},
  {"shutdown", stream_shutdown},
  {"write", stream_write},
  {NULL, NULL},
};

static const struct class_field input_fields[] = {
  {"closed", handle_field_closed, NULL},
  {"pending", stream_field_pending, NULL},
  {NULL, NULL, NULL},
};

static const luaL_Reg output_methods[] = {
  {"chunks", stream_chunks},
  {"close", handle_method_close},
  {"lines", stream_lines},
  {"read", stream_read},
  {NULL, NULL},
};

static const struct class_field output_fields[] = {
  {"closed", handle_field_closed, NULL},
  {NULL, NULL, NULL},
};

static const luaL_Reg methods[] = {
  {"close", close_child},
  {"kill", kill_child},
  {"wait", wait_for_child},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"closed", handle_field_closed, NULL}, {"pid", get_pid, NULL},
  {"stderr", get_stderr, NULL},          {"stdin", get_stdin, NULL},
  {"stdout", get_stdout, NULL},          {NULL, NULL, NULL},
};

void process_open_spawn(lua_State *L) {
  stream_class(L, &input_kind, input_methods, input_fields);
  stream_class(L, &output_kind, output_methods, output_fields);
  handle_class(L, class_name, methods, fields);
  luaL_getmetatable(L, class_name);
  lua_pushcfunction(L, close_child);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}
