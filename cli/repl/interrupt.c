/* interrupt.c - between SIGINT, as host/signals.c has it, and one task. */
#include "cli/repl/interrupt.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>

#include "host/host.h"
#include "host/signals.h"
#include "host/task.h"
#include "host/wait.h"

static struct {
  struct task *waiter;
  lua_Integer line; /* 0: none runs */
  uint64_t reader;  /* the task that reads lines: it goes on */
  bool pressed;     /* and nobody was waiting */
} interrupt;

static bool ends_running(const struct host *host, int times) {
  const struct task *task = host->current;
  if (task->id == interrupt.reader) return false;
  if (times > 1 || (lua_Integer)task->id == interrupt.line) return true;
  fprintf(stderr, "\nneap: task %llu (%s) is at work: Ctrl-C again ends it\n",
          (unsigned long long)task->id, task->name);
  return false;
}

static void act(struct host *host) {
  (void)host;
  if (interrupt.waiter == NULL)
    interrupt.pressed = true;
  else
    wait_wake_all(interrupt.waiter, 0);
}

static int finish(lua_State *L) {
  (void)L;
  return 0;
}

static const struct wait interrupt_wait_kind = {"interrupt", finish, NULL};

int interrupt_wait(lua_State *L) {
  struct task *task = wait_begin(L, &interrupt_wait_kind, 1);
  bool pressed = interrupt.pressed;
  interrupt.pressed = false;
  if (pressed) return wait_turn(L, task, &interrupt.waiter);
  return wait_park(L, task, &interrupt.waiter, WAIT_FOREVER);
}

int interrupt_line(lua_State *L) {
  interrupt.line = luaL_optinteger(L, 1, 0);
  return 0;
}

int interrupt_take(lua_State *L) {
  interrupt.reader = host_of(L)->current->id;
  signals_on_interrupt(ends_running, act);
  return 0;
}
