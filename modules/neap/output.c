/* output.c - neap.stdout and neap.stderr: print, for those who can wait.
 *
 * The queue is the host's (host/output.h), and what C has in its buffers goes
 * before. So the order is that of the calls, whoever makes them. */
#include <lauxlib.h>
#include <unistd.h>

#include "host/class.h"
#include "host/error.h"
#include "host/option.h"
#include "host/output.h"
#include "host/stream/stream.h"
#include "host/wait.h"
#include "modules/neap/standard.h"

static const char class_name[] = "neap.output";

static struct output *to_output(lua_State *L) {
  return *(struct output **)lua_touserdata(L, 1);
}

static struct output *check(lua_State *L) {
  return *(struct output **)class_check(L, 1, class_name);
}

static int error_of(lua_State *L, const struct output *output, int status,
                    const char *what) {
  lua_pushfstring(L, "%s %s", what, output->name);
  return error_result(L, status, lua_tostring(L, -1));
}

/* ---- output:write(data [, options] [, callback]) ------------------------- */

static int finish(lua_State *L, const char *what) {
  const struct output *output = to_output(L);
  int status = wait_status(L);
  if (status == 0) status = output_status(output);
  if (status != 0) return error_of(L, output, status, what);
  lua_pushvalue(L, 1);
  return 1;
}

static int write_finish(lua_State *L) {
  return finish(L, "write");
}

static const struct wait write_wait = {"write", write_finish, NULL};

static int output_write(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct output *output = check(L);
  size_t size;
  luaL_argcheck(L, lua_type(L, 3) != LUA_TSTRING, 3,
                "one string, or a list of them: write { \"a\", \"b\" }");
  option_arguments(L, 2, options);
  int64_t timeout = option_ms(L, 3, "timeout");
  stream_check_data(L);
  struct task *task = wait_begin(L, &write_wait, 4);
  const char *data = lua_tolstring(L, 2, &size);
  int status = output_put(output, data, size);
  if (status < 0) return wait_fail(L, task, status);
  if (output_pending(output) <= OUTPUT_HIGH) return wait_pass(L, task, NULL);
  output_hold(output);
  return wait_park(L, task, &output->writers, timeout);
}

/* ---- output:flush([options] [, callback]) -------------------------------- */

static int flush_finish(lua_State *L) {
  return finish(L, "flush");
}

static const struct wait flush_wait = {"flush", flush_finish, NULL};

static int flush(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct output *output = check(L);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  struct task *task = wait_begin(L, &flush_wait, 3);
  int status = output_flush(output);
  if (status < 0) return wait_fail(L, task, status);
  if (output_pending(output) == 0) return wait_pass(L, task, NULL);
  output_hold(output);
  return wait_park(L, task, &output->flushers, timeout);
}

/* ---- output:size(), fields ----------------------------------------------- */

static int get_size(lua_State *L) {
  const struct output *output = check(L);
  return standard_push_size(L, output->fd, output->name);
}

static int get_is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty(check(L)->fd));
  return 1;
}

static int get_pending(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)output_pending(check(L)));
  return 1;
}

static const luaL_Reg methods[] = {
  {"flush", flush},
  {"size", get_size},
  {"write", output_write},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"is_terminal", get_is_terminal, NULL},
  {"pending", get_pending, NULL},
  {NULL, NULL, NULL},
};

static int push(lua_State *L, int fd) {
  class_open(L, class_name, methods, fields);
  lua_pop(L, 1);
  struct output **box = lua_newuserdatauv(L, sizeof(struct output *), 0);
  *box = output_of(fd);
  class_set(L, class_name);
  return 1;
}

int standard_push_stdout(lua_State *L) {
  return push(L, STDOUT_FILENO);
}

int standard_push_stderr(lua_State *L) {
  return push(L, STDERR_FILENO);
}
