/* require.c - what require.lua needs of the host: who runs, and a gate that
 * tasks wait at until another one opens it. */
#include "host/require.h"

#include <lauxlib.h>

#include "host/class.h"
#include "host/embedded.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"

static const char class_name[] = "neap.gate";

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
  luaL_setmetatable(L, class_name);
  return 1;
}

static int open_gate(lua_State *L) {
  struct gate *gate = luaL_checkudata(L, 1, class_name);
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
  struct gate *gate = luaL_checkudata(L, 1, class_name);
  struct task *task = wait_begin(L, &gate_wait, 2);
  if (gate->is_open) return wait_pass(L, task, &gate->waiters);
  return wait_park(L, task, &gate->waiters, WAIT_FOREVER);
}

static const luaL_Reg methods[] = {
  {"open", open_gate},
  {"wait", wait_at_gate},
  {NULL, NULL},
};

void require_open(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pop(L, 1);
  embedded_load(L, "host/require.lua");
  lua_pushcfunction(L, current);
  lua_pushcfunction(L, new_gate);
  lua_call(L, 2, 0);
}
