/* require.c - what require.lua needs of the host: who runs, and a gate that
 * tasks wait at until another one opens it. */
#include "host/require.h"

#include <lauxlib.h>

#include "host/class.h"
#include "host/embedded.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"

static const char class_name[] = "require.gate";

struct gate {
  struct task *waiters;
  bool is_open;
};

static int current(lua_State *L) {
  const struct task *task = host_of(L)->current;
  lua_pushinteger(L, task == NULL ? 0 : (lua_Integer)task->id);
  return 1;
}

static int new_gate(lua_State *L) {
  struct gate *gate = lua_newuserdatauv(L, sizeof *gate, 0);
  *gate = (struct gate){NULL, false};
  class_set(L, class_name);
  return 1;
}

static int open_gate(lua_State *L) {
  struct gate *gate = class_check(L, 1, class_name);
  gate->is_open = true;
  wait_wake_all(gate->waiters, 0);
  return 0;
}

static int nothing(lua_State *L) {
  (void)L;
  return 0;
}

static const struct wait gate_wait = {"require", nothing, NULL};

static int wait_at_gate(lua_State *L) {
  struct gate *gate = class_check(L, 1, class_name);
  struct task *task = wait_begin(L, &gate_wait, 2);
  if (gate->is_open) return wait_pass(L, task, &gate->waiters);
  return wait_park(L, task, &gate->waiters, WAIT_FOREVER);
}

static const luaL_Reg methods[] = {
  {"open", open_gate},
  {"wait", wait_at_gate},
  {NULL, NULL},
};

/* ---- require(name) ------------------------------------------------------- */

static int require_over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return lua_gettop(L);
}

static int call_require(lua_State *L) {
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_callk(L, 1, LUA_MULTRET, 0, require_over);
  return require_over(L, LUA_OK, 0);
}

void require_open(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pop(L, 1);
  embedded_load(L, "host/require.lua");
  lua_pushcfunction(L, current);
  lua_pushcfunction(L, new_gate);
  lua_call(L, 2, 1);
  lua_pushcclosure(L, call_require, 1);
  lua_setglobal(L, "require");
}
