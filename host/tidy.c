/* tidy.c - a timeout that waits for a quiet second, and then a task. */
#include "host/tidy.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "host/generation.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"

enum {
  QUIET_MS = 1000,
  BUSY_RUNS = 1000, /* tasks resumed in that time: not now */
  STEP_KB = 256,
  CYCLES = 2 /* the first finds what to finalize, the second frees it */
};

static void set_timeout(struct host *host);

static void done(struct task *task, enum task_end end) {
  (void)end;
  task->host->tidy.scheduled = false;
}

static const struct task_sink sink = {NULL, done};

static int step(lua_State *L);

static const struct wait turn = {"collect", step, NULL};

/* A step of the generational collector leaves what is old alone: so for as long
 * as this takes, the collector is the incremental one. */
static void begin(lua_State *L, struct tidy *tidy) {
  tidy->begun = true;
  tidy->generational = lua_gc(L, LUA_GCINC, 0, 0, 0) == LUA_GCGEN;
}

static int finish(lua_State *L, const struct tidy *tidy) {
  if (tidy->generational) lua_gc(L, LUA_GCGEN, 0, 0);
  memory_trim(&host_of(L)->memory);
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return 0;
}

static int step(lua_State *L) {
  struct tidy *tidy = &host_of(L)->tidy;
  if (!tidy->begun) begin(L, tidy);
  bool stopped = !lua_gc(L, LUA_GCISRUNNING); /* by the script */
  if (stopped || (lua_gc(L, LUA_GCSTEP, STEP_KB) && ++tidy->cycles == CYCLES))
    return finish(L, tidy);
  return wait_turn(L, wait_begin(L, &turn, lua_gettop(L) + 1), NULL);
}

static void on_quiet(struct timeout *timeout) {
  struct host *host = timeout->data;
  struct tidy *tidy = &host->tidy;
  if (host->runs - tidy->runs > BUSY_RUNS) {
    set_timeout(host);
    return;
  }
  tidy->ended = 0;
  tidy->cycles = 0;
  tidy->begun = false;
  struct task *task = host->phase == HOST_RUNNING
                        ? task_start(host, &host->root->background, step, NULL)
                        : NULL;
  tidy->scheduled = task != NULL;
  if (task == NULL) return;
  task->sink = &sink;
  task->name = "collect";
}

/* It does not keep the loop alive. */
static void set_timeout(struct host *host) {
  struct tidy *tidy = &host->tidy;
  tidy->runs = host->runs;
  tidy->timeout.fire = on_quiet;
  tidy->timeout.data = host;
  clock_set(&host->clock, &tidy->timeout, clock_ms(&host->clock) + QUIET_MS);
}

void tidy_schedule(struct host *host) {
  host->tidy.scheduled = true;
  set_timeout(host);
}
