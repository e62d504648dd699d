/* failing_memory.h - what a test of lack of memory is made of: an allocator that
 * fails at the n-th allocation of tasks, a driver that says which, and a file
 * for what the host has to say about it. */
#ifndef SPEC_FAILING_MEMORY_H
#define SPEC_FAILING_MEMORY_H

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "spec/c/machine.h"

static struct {
  lua_Alloc alloc;
  void *ud;
  struct host *host;
  const struct task *driver;               /* is given what it asks for */
  bool (*counts)(const struct task *task); /* NULL: all others count */
  long left; /* until the last one of the row; 0: all is well */
  long row;
} memory;

static inline bool memory_is_counted(void) {
  const struct task *task = memory.host->current;
  if (memory.left <= 0 || task == NULL || task == memory.driver) return false;
  return memory.counts == NULL || memory.counts(task);
}

static void *allocate(void *ud, void *block, size_t old, size_t size) {
  bool is_asked = size > 0 && (block == NULL || size > old);
  (void)ud;
  if (is_asked && memory_is_counted() && --memory.left < memory.row)
    return NULL;
  return memory.alloc(memory.ud, block, old, size);
}

/* ---- the driver ----------------------------------------------------------- */

/* fail_at(n); 0: never. Returns whether the last one has come about. */
static int fail_at(lua_State *L) {
  long n = (long)luaL_checkinteger(L, 1);
  lua_pushboolean(L, memory.left < memory.row);
  memory.left = n > 0 ? n + memory.row - 1 : 0;
  return 1;
}

static bool driver_returned;

static int driver_over(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  driver_returned = true;
  return 0;
}

/* It must not wait for what it has left behind. */
static void driver_ended(struct task *task, enum task_end end) {
  (void)end;
  loop_stop(task->host, 0);
}

static const struct task_sink driver_sink = {NULL, driver_ended};

/* ---- what the host has to say, thousands of times, is kept in a file ------ */

static FILE *told, *real_stderr;

static void show_told(int number) {
  char text[4000];
  fflush(told);
  rewind(told);
  fseek(told, -(long)sizeof text, SEEK_END);
  size_t size = fread(text, 1, sizeof text, told);
  ssize_t written = write(STDERR_FILENO, text, size);
  (void)written;
  signal(number, SIG_DFL);
  raise(number);
}

/* All versions, and all work of theirs: tasks, timers, handles. */
static inline int memory_count_work(void) {
  int count = 0;
  for (struct generation *g = memory.host->generations; g != NULL;
       g = g->next) {
    count++;
    for (struct work *w = g->background.first; w != NULL; w = w->next) count++;
    for (struct owner *owner = g->owners; owner != NULL; owner = owner->next)
      for (struct work *w = owner->first; w != NULL; w = w->next) count++;
  }
  return count;
}

#endif
