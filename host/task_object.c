/* task_object.c - the userdata of tasks. Task and object point to each other
 * while both live; the object's user value keeps the results or the error. */
#include "host/task_object.h"

#include <lauxlib.h>

#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/wait.h"

static const char class_name[] = "neap.task";

struct task_object {
  struct task *task;    /* NULL: it has ended */
  struct task *joiners; /* who waits for that */
  uint64_t id;
  enum task_end end;
  int count; /* of results: one is kept as it is, more in a table */
};

struct task_object *task_object_new(lua_State *L) {
  struct task_object *object =
    lua_newuserdatauv(L, sizeof *object, TASK_OBJECT_SINK);
  *object = (struct task_object){.end = TASK_CANCELLED};
  lua_rawgeti(L, LUA_REGISTRYINDEX, host_of(L)->task_class);
  lua_setmetatable(L, -2);
  return object;
}

void task_object_bind(struct task_object *object, struct task *task) {
  object->task = task;
  object->id = task->id;
  task->object = object;
}

static struct task_object *check_object(lua_State *L) {
  return class_check(L, 1, class_name);
}

/* ---- the end of its task ------------------------------------------------- */

/* L is the task's stack. */
bool task_object_settle(lua_State *L, struct task *task, enum task_end end) {
  struct task_object *object = task->object;
  int count = lua_gettop(L) - TASK_AT_RESULTS + 1;
  if (end == TASK_FAILED || (end == TASK_RETURNED && count == 1)) {
    lua_pushvalue(L, -1);
    object->count = 1;
  } else if (end == TASK_RETURNED && count > 1) {
    lua_createtable(L, count, 0);
    for (int i = 1; i <= count; i++) {
      lua_pushvalue(L, TASK_AT_RESULTS + i - 1);
      lua_rawseti(L, -2, i);
    }
    object->count = count;
  } else {
    return false;
  }
  lua_setiuservalue(L, TASK_AT_OBJECT, TASK_OBJECT_RESULT);
  return end == TASK_FAILED && object->joiners != NULL;
}

void task_object_end(struct task *task, enum task_end end) {
  struct task_object *object = task->object;
  object->task = NULL;
  object->end = end;
  task->object = NULL;
  wait_wake_all(object->joiners, 0);
}

void task_object_forget(struct task *task) {
  task->object->task = NULL;
  task->object = NULL;
}

/* ---- task:join([options] [, callback]) ----------------------------------- */

static int push_results(lua_State *L, int count) {
  lua_getiuservalue(L, 1, TASK_OBJECT_RESULT);
  if (count == 1) return 1;
  int table = lua_gettop(L);
  luaL_checkstack(L, count, "too many results");
  for (int i = 1; i <= count; i++) lua_rawgeti(L, table, i);
  return count;
}

static int join_finish(lua_State *L) {
  const struct task_object *object = lua_touserdata(L, 1);
  if (object->task != NULL) return error_result(L, wait_status(L), "join");
  switch (object->end) {
    case TASK_RETURNED:
      return object->count == 0 ? 0 : push_results(L, object->count);
    case TASK_FAILED:
      if (object->count == 0)
        return luaL_error(L, "the task failed, without memory to say why");
      lua_getiuservalue(L, 1, TASK_OBJECT_RESULT);
      return lua_error(L);
    default: return error_result(L, UV_ECANCELED, "join");
  }
}

static const struct wait join_wait = {"join", join_finish, NULL};

static int join(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct task_object *object = check_object(L);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  if (object->task != NULL && object->task == host_of(L)->current)
    return luaL_error(L, "a task cannot join itself");
  struct task *task = wait_begin(L, &join_wait, 3);
  if (object->task == NULL) return wait_pass(L, task, &object->joiners);
  task_start_staged(object->task);
  return wait_park(L, task, &object->joiners, timeout);
}

/* ---- the rest of the class ----------------------------------------------- */

static int cancel(lua_State *L) {
  const struct task_object *object = check_object(L);
  lua_pushboolean(L, object->task != NULL);
  if (object->task != NULL) task_cancel(object->task);
  return 1;
}

static int get_id(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check_object(L)->id);
  return 1;
}

static int get_name(lua_State *L) {
  const struct task_object *object = check_object(L);
  lua_pushstring(L, object->task != NULL ? object->task->name : NULL);
  return 1;
}

static int set_name(lua_State *L) {
  const struct task_object *object = check_object(L);
  const char *name = luaL_checkstring(L, 2);
  if (object->task != NULL) task_rename(object->task, name);
  return 0;
}

static int get_status(lua_State *L) {
  static const char *const ends[] = {"done", "failed", "cancelled"};
  const struct task_object *object = check_object(L);
  lua_pushstring(L, object->task != NULL ? task_state_name(object->task)
                                         : ends[object->end]);
  return 1;
}

static const luaL_Reg methods[] = {
  {"cancel", cancel},
  {"join", join},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"id", get_id, NULL},
  {"name", get_name, set_name},
  {"status", get_status, NULL},
  {NULL, NULL, NULL},
};

void task_object_open(lua_State *L) {
  class_open(L, class_name, methods, fields);
  host_of(L)->task_class = luaL_ref(L, LUA_REGISTRYINDEX);
}
