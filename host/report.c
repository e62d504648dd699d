/* report.c - tells of failed tasks. The traceback is taken where the error is
 * raised, and kept in the registry until the stack has been unwound. */
#include "host/report.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "host/cancel.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/task.h"

static bool ends_with(const char *text, size_t size, const char *end) {
  size_t length = strlen(end);
  return size >= length && memcmp(text + size - length, end, length) == 0;
}

/* Its last lines are our own: the function that every task begins with, and
 * the one that calls a handler; that of the main chunk is shown, as by lua. What
 * could not be compiled has no other: then there is nothing to tell. */
static void push_trace(lua_State *L) {
  static const char last[] = "\n\t[C]: in ?";
  size_t size;
  luaL_traceback(L, L, NULL, 1);
  const char *trace = lua_tolstring(L, -1, &size);
  bool is_main = host_of(L)->current->origin.source == NULL;
  if (ends_with(trace, size, last)) size -= strlen(last);
  while (!is_main && ends_with(trace, size, last)) size -= strlen(last);
  if (ends_with(trace, size, "stack traceback:") ||
      ends_with(trace, size, "stack traceback:\n\t[C]: in ?"))
    lua_pushnil(L);
  else
    lua_pushlstring(L, trace, size);
  lua_replace(L, -2);
}

/* ---- errors that have come from another task ------------------------------ */

static const char passed_on = 0; /* in the registry: { error, trace, task } */

enum { PASSED_ERROR = 1, PASSED_TRACE, PASSED_TASK };

void report_push_trace(lua_State *L, const struct task *task) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, task);
}

int report_pass_on(lua_State *L) {
  int error = lua_gettop(L) - 1;
  if (lua_type(L, error) != LUA_TSTRING) { /* it is not to be kept alive */
    lua_settop(L, error);
    return lua_error(L);
  }
  lua_createtable(L, 3, 0);
  lua_insert(L, error + 1);
  lua_rawseti(L, error + 1, PASSED_TRACE);
  lua_pushvalue(L, error);
  lua_rawseti(L, error + 1, PASSED_ERROR);
  lua_pushlightuserdata(L, host_of(L)->current);
  lua_rawseti(L, error + 1, PASSED_TASK);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &passed_on);
  return lua_error(L);
}

/* The traceback on top is that of the task which has waited, if the error at
 * index 1 is the one that it was given: then that of the other one goes before. */
static void join_traces(lua_State *L) {
  static const char begin[] = "stack traceback:";
  int own = lua_gettop(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &passed_on) != LUA_TTABLE) {
    lua_pop(L, 1);
    return;
  }
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &passed_on);
  lua_rawgeti(L, -1, PASSED_TASK);
  lua_rawgeti(L, -2, PASSED_ERROR);
  lua_rawgeti(L, -3, PASSED_TRACE);
  bool is = lua_touserdata(L, -3) == host_of(L)->current &&
            lua_rawequal(L, -2, 1) && lua_isstring(L, -1);
  if (is && lua_isstring(L, own)) {
    lua_pushfstring(L, "%s\n\tawaited by:%s", lua_tostring(L, -1),
                    lua_tostring(L, own) + strlen(begin));
    lua_replace(L, own);
  }
  lua_settop(L, own);
}

int report_trace(lua_State *L) {
  if (cancel_is(L, 1)) return 1;
  push_trace(L);
  join_traces(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, host_of(L)->current);
  lua_settop(L, 1);
  return 1;
}

/* ---- what it says --------------------------------------------------------- */

static int tell(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* { status = 503, message = "..." } says it there; asked without a call, too. */
static bool push_field(lua_State *L, int error) {
  if (!lua_istable(L, error)) return false;
  lua_pushliteral(L, "message");
  if (lua_rawget(L, error) == LUA_TSTRING) return true;
  lua_pop(L, 1);
  return false;
}

/* Like lua.c: a string, what __tostring makes of it, or its type. */
static void push_message(lua_State *L, int error) {
  const char *what = "";
  if (lua_type(L, error) == LUA_TSTRING) { /* no call: the stack may be full */
    lua_pushvalue(L, error);
    return;
  }
  bool readable = lua_isstring(L, error);
  if (!readable && luaL_getmetafield(L, error, "__tostring") != LUA_TNIL) {
    lua_pop(L, 1);
    readable = true;
  }
  if (readable) {
    lua_pushcfunction(L, tell);
    lua_pushvalue(L, error);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK) return;
    lua_pop(L, 1);
    what = ", its __tostring has failed";
  }
  lua_pushfstring(L, "(error object is a %s value%s)", luaL_typename(L, error),
                  what);
  if (!push_field(L, error)) return;
  lua_pushfstring(L, "%s: %s", lua_tostring(L, -2), lua_tostring(L, -1));
  lua_replace(L, -3);
  lua_pop(L, 1);
}

static void push_start(lua_State *L, const struct task *task) {
  if (task->origin.source == NULL) {
    lua_pushliteral(L, "");
    return;
  }
  lua_pushfstring(L, "\n\tstarted at %s:%d", task->origin.source,
                  task->origin.line);
  if (task->parent == 0) return; /* by the host: a connection, a timer */
  lua_pushfstring(L, " by task %I", (LUAI_UACINT)task->parent);
  lua_concat(L, 2);
}

/* Pushes who has failed; of later versions of the program also which one. */
static void push_who(lua_State *L, const struct task *task) {
  uint64_t id = task->work.owner->generation->id;
  lua_pushliteral(L, "neap: ");
  if (id > 1) lua_pushfstring(L, "generation %I: ", (LUAI_UACINT)id);
  if (task->origin.source != NULL)
    lua_pushfstring(L, "task %I (%s) failed: ", (LUAI_UACINT)task->id,
                    task->name);
}

/* Pushes what has happened: of so many values one is made. */
static void push_what(lua_State *L, const struct task *task, int error,
                      int trace, int top) {
  push_message(L, error);
  if (lua_isstring(L, trace))
    lua_pushfstring(L, "\n%s", lua_tostring(L, trace));
  push_start(L, task);
  lua_concat(L, lua_gettop(L) - top);
}

/* Pushes all that stderr would say. */
static void push_text(lua_State *L, const struct task *task, int error,
                      int trace) {
  int top = lua_gettop(L);
  push_who(L, task);
  push_what(L, task, error, trace, top);
}

void report_push_error(lua_State *L, const struct task *task) {
  int error = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, task);
  push_what(L, task, error, error + 1, error + 1);
  lua_remove(L, error + 1);
}

/* ---- neap.on_error ------------------------------------------------------- */

static int reporter_over(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (status == LUA_OK || status == LUA_YIELD) return 0;
  if (cancel_is(L, -1)) return lua_error(L);
  push_message(L, lua_gettop(L));
  fprintf(stderr, "%s\nneap: and on_error failed: %s\n", lua_tostring(L, 1),
          lua_tostring(L, -1));
  return 0;
}

static int run_reporter(lua_State *L) { /* text, handler, error, trace, info */
  int status = lua_pcallk(L, 3, 0, 0, 0, reporter_over);
  return reporter_over(L, status, 0);
}

static void push_info(lua_State *L, const struct task *task) {
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, (lua_Integer)task->id);
  lua_setfield(L, -2, "id");
  lua_pushstring(L, task->name);
  lua_setfield(L, -2, "name");
  lua_pushinteger(L, (lua_Integer)task->parent);
  lua_setfield(L, -2, "parent");
  if (task->origin.source == NULL) return;
  lua_pushfstring(L, "%s:%d", task->origin.source, task->origin.line);
  lua_setfield(L, -2, "started");
}

/* The stack: ..., error, trace, text, handler. */
static void spawn_reporter(lua_State *L, const struct task *failed) {
  int handler = lua_gettop(L);
  lua_pushcfunction(L, run_reporter);
  lua_pushvalue(L, handler - 1);
  lua_pushvalue(L, handler);
  lua_pushvalue(L, handler - 3);
  lua_pushvalue(L, handler - 2);
  push_info(L, failed);
  struct generation *generation = failed->work.owner->generation;
  struct task *task = task_spawn_as(L, 5, &generation->background);
  task->name = "on_error";
}

/* ---- the ways in --------------------------------------------------------- */

void report_failure(lua_State *L, struct task *task, bool taken) {
  struct host *host = task->host;
  int error = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, task);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, task);
  if (!taken) {
    host->failures++;
    push_text(L, task, error, error + 1);
    generation_get(L, task->work.owner->generation, GENERATION_ON_ERROR);
    if (lua_isfunction(L, -1) && host->phase != HOST_STOPPING)
      spawn_reporter(L, task);
    else
      fprintf(stderr, "%s\n", lua_tostring(L, error + 2));
  }
  lua_settop(L, error);
}

void report_begin(const struct task *task) {
  uint64_t id = task->work.owner->generation->id;
  fputs("neap: ", stderr);
  if (id > 1) fprintf(stderr, "generation %llu: ", (unsigned long long)id);
}

void report_broken(struct task *task, const char *message) {
  struct host *host = task->host;
  host->failures++;
  lua_pushnil(host->L);
  lua_rawsetp(host->L, LUA_REGISTRYINDEX, task);
  report_begin(task);
  fprintf(stderr, "task %llu (%s) failed: %s\n", (unsigned long long)task->id,
          task->name,
          message != NULL ? message : "(error object is not a string)");
}
