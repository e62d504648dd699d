/* gate.c - see gate.h. Whoever waits holds the gate on its stack. */
#include "host/gate.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "host/class.h"
#include "host/task.h"
#include "host/wait.h"

static const char class_name[] = "host.gate";

struct gate {
  struct task *waiters;
  bool is_open;
};

int gate_new(lua_State *L) {
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

static const struct wait gate_wait = {"gate", nothing, NULL};

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

void gate_open_class(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pop(L, 1);
}
