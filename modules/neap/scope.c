/* scope.c - neap.group and neap.deadline: tasks that end with their starter.
 *
 * The body of a scope is a task like its other members; the caller waits until
 * the last of them has ended, whatever happens. The first error, the caller's
 * own cancellation or the end of the time cancels those that are left. The
 * object of each member holds the scope. */
#include <lauxlib.h>
#include <stdlib.h>

#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/report.h"
#include "host/task.h"
#include "host/task_object.h"
#include "host/wait.h"
#include "modules/neap/neap.h"

static const char class_name[] = "neap.group";

enum { VALUE_RESULTS = 1, VALUE_ERROR, VALUE_TRACE, VALUES = VALUE_TRACE };

struct member {
  struct member *next, **link; /* in scope->members */
  struct scope *scope;
  struct task *task;
  bool is_body;
};

struct scope {
  struct task *caller; /* first member, see interrupt */
  struct member *members;
  struct member *spare; /* for the next one: see start */
  lua_Number seconds;   /* of a deadline */
  bool failed, late, over;
};

static void cancel_members(struct scope *scope) {
  for (struct member *m = scope->members; m != NULL; m = m->next)
    task_cancel(m->task);
}

/* ---- the end of a member ------------------------------------------------- */

/* Moves the value on top of a member's stack into the scope. */
static void keep(lua_State *L, int slot) {
  lua_getiuservalue(L, TASK_AT_OBJECT, TASK_OBJECT_SINK);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, slot);
  lua_pop(L, 1);
}

static void push_list(lua_State *L, int first) {
  int count = lua_gettop(L) - first + 1;
  lua_createtable(L, count, 1);
  for (int i = 0; i < count; i++) {
    lua_pushvalue(L, first + i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushinteger(L, count);
  lua_setfield(L, -2, "n");
}

/* Takes the body's results, and the first error. */
static bool settle(lua_State *L, struct task *task, enum task_end end) {
  const struct member *member = task->sink_data;
  struct scope *scope = member->scope;
  if (end == TASK_RETURNED && member->is_body) {
    push_list(L, TASK_AT_RESULTS);
    keep(L, VALUE_RESULTS);
  }
  if (end != TASK_FAILED || scope->failed) return false;
  lua_pushvalue(L, -1);
  keep(L, VALUE_ERROR);
  report_push_trace(L, task);
  keep(L, VALUE_TRACE);
  scope->failed = true;
  return true;
}

static void ended(struct task *task, enum task_end end) {
  struct member *member = task->sink_data;
  struct scope *scope = member->scope;
  *member->link = member->next;
  if (member->next != NULL) member->next->link = member->link;
  free(member);
  if (end == TASK_FAILED) {
    scope->failed = true; /* also where it could not say why: without memory */
    cancel_members(scope);
  }
  if (scope->members != NULL) return;
  scope->over = true;
  if (scope->caller != NULL) task_wake(scope->caller, 0);
}

static const struct task_sink sink = {settle, ended};

/* ---- members ------------------------------------------------------------- */

/* The scope lies at index 1, the function at `first`, its arguments above it;
 * pushes the task's object. */
static void start(lua_State *L, int first, bool is_body) {
  struct scope *scope = lua_touserdata(L, 1);
  struct origin origin = origin_here(L);
  if (scope->spare == NULL) scope->spare = malloc(sizeof *scope->spare);
  if (scope->spare == NULL) luaL_error(L, "not enough memory");
  struct task *task = task_go(L, first); /* may raise: then it stays spare */
  struct member *member = scope->spare;
  scope->spare = NULL;
  *member = (struct member){.next = scope->members,
                            .link = &scope->members,
                            .scope = scope,
                            .task = task,
                            .is_body = is_body};
  if (member->next != NULL) member->next->link = &member->next;
  scope->members = member;
  task->sink = &sink;
  task->sink_data = member;
  task->origin = origin;
  task_start_staged(task); /* the caller waits for it */
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, TASK_OBJECT_SINK);
}

static int group_go(lua_State *L) {
  struct scope *scope = class_check(L, 1, class_name);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  if (scope->over) return luaL_error(L, "this group is over");
  start(L, 2, false);
  if (scope->failed || scope->late) cancel_members(scope);
  return 1;
}

static int collect(lua_State *L) {
  struct scope *scope = lua_touserdata(L, 1);
  free(scope->spare);
  scope->spare = NULL; /* another finalizer may still see it */
  return 0;
}

/* ---- the caller waits ---------------------------------------------------- */

static int finish(lua_State *L) { /* scope, ... */
  const struct scope *scope = lua_touserdata(L, 1);
  if (scope->failed) {
    lua_getiuservalue(L, 1, VALUE_ERROR);
    lua_getiuservalue(L, 1, VALUE_TRACE);
    return report_pass_on(L);
  }
  if (scope->late) {
    lua_pushfstring(L, "deadline of %f s", (LUAI_UACNUMBER)scope->seconds);
    return error_result(L, UV_ETIMEDOUT, lua_tostring(L, -1));
  }
  if (lua_getiuservalue(L, 1, VALUE_RESULTS) != LUA_TTABLE) return 0;
  int list = lua_gettop(L);
  lua_getfield(L, list, "n");
  int count = (int)lua_tointeger(L, -1);
  luaL_checkstack(L, count, "too many results");
  for (int i = 1; i <= count; i++) lua_rawgeti(L, list, i);
  return count;
}

/* The caller is the only one to wait for its scope: so what points to it lies
 * at the beginning of the scope. */
static bool interrupt(struct task *task) {
  struct scope *scope = (struct scope *)task->parked;
  if (!task->cancelled) scope->late = true;
  cancel_members(scope);
  return scope->members != NULL;
}

static const struct wait group_wait = {"group", finish, interrupt};
static const struct wait deadline_wait = {"deadline", finish, interrupt};

/* The stack: function, arguments. Puts the scope below them. */
static struct scope *new_scope(lua_State *L) {
  struct scope *scope = lua_newuserdatauv(L, sizeof *scope, VALUES);
  *scope = (struct scope){.caller = NULL};
  class_set(L, class_name);
  lua_insert(L, 1);
  return scope;
}

/* neap.group(fn, ...): fn(group, ...) */
int scope_group(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  struct scope *scope = new_scope(L);
  lua_pushvalue(L, 1);
  lua_insert(L, 3);
  struct task *task = wait_begin(L, &group_wait, lua_gettop(L) + 1);
  start(L, 2, true);
  return wait_park(L, task, &scope->caller, WAIT_FOREVER);
}

/* neap.deadline(seconds, fn, ...): fn(...) */
int scope_deadline(lua_State *L) {
  lua_Number seconds = check_seconds(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_remove(L, 1);
  struct scope *scope = new_scope(L);
  scope->seconds = seconds;
  struct task *task = wait_begin(L, &deadline_wait, lua_gettop(L) + 1);
  start(L, 2, true);
  return wait_until(L, task, &scope->caller,
                    clock_after(&task->host->clock, seconds));
}

static const luaL_Reg methods[] = {
  {"go", group_go},
  {NULL, NULL},
};

void scope_open(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
