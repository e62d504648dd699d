/* child.c - another `neap`, for spec files that run beside others.
 *
 * It is started, waited for, and killed if this program ends before it. What it
 * writes goes into a file, or where our own output goes. */
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/test/core.h"
#include "host/error.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"

static const char class_name[] = "runner.child";

struct runner_child {
  struct handle handle;
  uv_process_t process;
  struct task *waiters;
  bool has_ended;
  int64_t status;
  int signal;
};

/* ---- its end ------------------------------------------------------------- */

static void child_ended(uv_process_t *process, int64_t status, int signal) {
  struct runner_child *child = process->data;
  child->has_ended = true;
  child->status = status;
  child->signal = signal;
  wait_wake_all(child->waiters, 0);
  handle_close(&child->handle);
}

static void stop(struct work *work) {
  struct runner_child *child = (struct runner_child *)work;
  if (!child->has_ended) uv_process_kill(&child->process, SIGKILL);
  handle_stop(work);
}

static const struct work_kind kind = {.name = "child", .stop = stop};

static int wait_finish(lua_State *L) {
  const struct runner_child *child = handle_check_any(L, 1, class_name);
  if (!child->has_ended) return error_result(L, wait_status(L), "wait");
  lua_pushinteger(L, (lua_Integer)child->status);
  lua_pushinteger(L, child->signal);
  return 2;
}

static const struct wait child_wait = {"child", wait_finish, NULL};

/* child:wait() -> its exit status, the signal that has ended it or 0 */
static int wait_for_child(lua_State *L) {
  struct runner_child *child = handle_check_any(L, 1, class_name);
  lua_settop(L, 1);
  struct task *task = wait_begin(L, &child_wait, 2);
  if (child->has_ended) return wait_pass(L, task, &child->waiters);
  return wait_park(L, task, &child->waiters, WAIT_FOREVER);
}

/* child:kill() */
static int kill_child(lua_State *L) {
  struct runner_child *child = handle_check_any(L, 1, class_name);
  if (!child->has_ended) uv_process_kill(&child->process, SIGTERM);
  return 0;
}

/* ---- start --------------------------------------------------------------- */

enum { ARGUMENTS_MOST = 4096 };

/* The strings stay on the stack, in their table. */
static char **arguments(lua_State *L, int index) {
  lua_Integer count = luaL_len(L, index);
  luaL_argcheck(L, count > 0 && count < ARGUMENTS_MOST, index, "a list");
  char **list = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *list, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, index, i);
    list[i - 1] = (char *)luaL_checkstring(L, -1);
    lua_pop(L, 1);
  }
  list[count] = NULL;
  return list;
}

static int fail(lua_State *L, int status, const char *program) {
  return error_result(L, status, lua_pushfstring(L, "run %s", program));
}

static int start(lua_State *L, char **argv, int output) {
  struct host *host = host_of(L);
  struct owner *owner = owner_here(L);
  uv_stdio_container_t stdio[3] = {
    {.flags = UV_INHERIT_FD, .data.fd = STDIN_FILENO},
    {.flags = UV_INHERIT_FD, .data.fd = output >= 0 ? output : STDOUT_FILENO},
    {.flags = UV_INHERIT_FD, .data.fd = output >= 0 ? output : STDERR_FILENO},
  };
  if (output >= 0) stdio[0] = (uv_stdio_container_t){.flags = UV_IGNORE};
  struct box *box = handle_push_empty_box(L, class_name, 0);
  struct runner_child *child = handle_new(host, sizeof *child);
  if (child == NULL) return fail(L, UV_ENOMEM, argv[0]);
  child->process.data = child;
  uv_process_options_t options = {.exit_cb = child_ended,
                                  .file = argv[0],
                                  .args = argv,
                                  .stdio_count = 3,
                                  .stdio = stdio};
  int status = uv_spawn(&host->loop, &child->process, &options);
  handle_open(&child->handle, &child->process, &kind, owner);
  handle_fill_box(box, &child->handle);
  if (status == 0) return 1;
  child->has_ended = true;
  handle_close(&child->handle);
  return fail(L, status, argv[0]);
}

/* spawn(arguments [, path]): what it writes goes into that file */
static int spawn(lua_State *L) {
  const char *path = luaL_optstring(L, 2, NULL);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  char **argv = arguments(L, 1);
  int output = -1;
  if (path != NULL) {
    output = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (output < 0) return luaL_error(L, "cannot write %s", path);
  }
  int count = start(L, argv, output);
  if (output >= 0) close(output);
  return count;
}

/* exepath() -> the file of this program */
static int exepath(lua_State *L) {
  char path[4096];
  size_t size = sizeof path;
  int status = uv_exepath(path, &size);
  if (status < 0) return error_result(L, status, "find this program");
  lua_pushlstring(L, path, size);
  return 1;
}

static const luaL_Reg methods[] = {
  {"close", handle_method_close},
  {"kill", kill_child},
  {"wait", wait_for_child},
  {NULL, NULL},
};

static const luaL_Reg functions[] = {
  {"exepath", exepath},
  {"spawn", spawn},
  {NULL, NULL},
};

void test_add_child(lua_State *L) {
  handle_class(L, class_name, methods, NULL);
  luaL_setfuncs(L, functions, 0);
}
