/* main_task.c - begins a program, and tells its generation how that ended. */
#include "host/main_task.h"

#include "host/generation.h"
#include "host/host.h"
#include "host/report.h"
#include "host/task.h"

/* What the main chunk has left behind for good, a connection say, must not keep
 * the program alive: later, nothing may be left that would make garbage. */
static void forget_garbage(lua_State *L) {
  if (host_is_alive(host_of(L))) lua_gc(L, LUA_GCCOLLECT);
}

/* An error in prepare is told to whoever has asked for the new version. */
static bool settle(lua_State *L, struct task *task, enum task_end end) {
  struct generation *generation = task->work.owner->generation;
  if (generation->state == GENERATION_LIVE) forget_garbage(L);
  if (generation->state != GENERATION_PREPARING || generation->ready)
    return false;
  if (end != TASK_FAILED) return false;
  report_push_error(L, task);
  generation_set(L, generation, GENERATION_WHY);
  return true;
}

static void on_end(struct task *task, enum task_end end) {
  generation_end_main(task->work.owner->generation, end == TASK_RETURNED);
}

static const struct task_sink sink = {settle, on_end};

struct task *main_task_start(struct generation *generation) {
  struct host *host = generation->host;
  struct task *task = task_start(host, &generation->background,
                                 host->program.main, host->program.context);
  if (task == NULL) return NULL;
  task->name = "main";
  task->sink = &sink;
  task_start_staged(task); /* whoever prepares it waits for it */
  return task;
}
