/* loop.c - the event loop, and its three ways to end. */
#include "host/loop.h"

#include <assert.h>
#include <stdio.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/luv.h"
#include "host/observe.h"
#include "host/output.h"
#include "host/run.h"
#include "host/shuffle.h"
#include "host/task.h"
#include "host/virtual_time.h"
#include "host/wait.h"
#include "host/watchdog.h"

enum { DRAIN_MS = 30000 };

void loop_dispatch(struct host *host) {
  assert(host->current == NULL);
  bool polling = host->polling;
  observe_phase(host, OBSERVE_DISPATCH);
  watchdog_wake(host);
  host->polling = false;
  run_ready(host);
  flush_all(host);
  generation_reap(host);
  host->polling = polling;
  if (!polling) return;
  if (!queue_is_empty(&host->ready)) uv_stop(&host->loop);
  observe_phase(host, OBSERVE_POLL);
}

/* The only uv_run of a living host. Callbacks move bytes into C memory and make
 * tasks ready; Lua runs below it only where one ends in loop_dispatch. */
static void poll(struct host *host, bool more) {
  observe_phase(host, OBSERVE_POLL);
  more = more || !queue_is_empty(&host->ready);
  if (!more) output_flush_buffers();
  host->polling = true;
  if (host->clock.still != NULL)
    virtual_time_poll(host, more);
  else
    uv_run(&host->loop, more ? UV_RUN_NOWAIT : UV_RUN_ONCE);
  host->polling = false;
}

static void turn(struct host *host, bool *more) {
  poll(host, *more);
  if (host->shuffle != NULL) shuffle_before_timers(host->shuffle, &host->ready);
  *more = clock_advance(&host->clock);
  loop_dispatch(host);
}

static bool is_idle(struct host *host) {
  return queue_is_empty(&host->ready) && !host_is_alive(host);
}

/* ---- tasks that nothing can wake ----------------------------------------- */

static void look(struct work *work, void *data) {
  struct task *task = (struct task *)work, **newest = data;
  if (task_is(work) && task->state == TASK_WAITING && !task->serves &&
      (*newest == NULL || task->id > (*newest)->id))
    *newest = task;
}

/* One at a time: whoever waits for its end then learns of it as an error. */
static bool break_deadlock(struct host *host) {
  struct task *newest = NULL;
  generation_each_work(host, look, &newest);
  if (newest != NULL) wait_deadlock(newest);
  return newest != NULL;
}

/* ---- the end ------------------------------------------------------------- */

static void cancel(struct work *work, void *data) {
  (void)data;
  if (task_is(work)) task_cancel((struct task *)work);
}

static void count(struct work *work, void *data) {
  if (task_is(work)) ++*(int *)data;
}

/* Cancelled tasks may wait in __close for a bounded time, so this ends. */
static void unwind(struct host *host) {
  bool more = false;
  for (;;) {
    int tasks = 0;
    generation_each_work(host, cancel, NULL);
    loop_dispatch(host);
    generation_each_work(host, count, &tasks);
    if (tasks == 0) break; /* to poll now would be to wait for nothing */
    turn(host, &more);
  }
}

void loop_run(struct host *host) {
  bool more = false;
  loop_dispatch(host);
  while (host->phase != HOST_STOPPING) {
    if (is_idle(host) && !break_deadlock(host)) break;
    turn(host, &more);
  }
  host->phase = HOST_STOPPING;
  unwind(host);
}

void loop_stop(struct host *host, int exit_code) {
  host->phase = HOST_STOPPING;
  host->exit_code = exit_code;
  if (host->polling) uv_stop(&host->loop);
}

static void on_limit(struct timeout *timeout) {
  struct host *host = timeout->data;
  fprintf(stderr, "neap: still at work after %d s: ended\n", DRAIN_MS / 1000);
  loop_stop(host, host->exit_code);
}

void loop_drain(struct host *host) {
  if (host->phase != HOST_RUNNING) return;
  host->phase = HOST_DRAINING;
  host->exit_code = 0;
  host->stop_limit.fire = on_limit;
  host->stop_limit.data = host;
  clock_set(&host->clock, &host->stop_limit, clock_ms(&host->clock) + DRAIN_MS);
  for (struct generation *g = host->generations; g != NULL; g = g->next)
    generation_drain(g);
  generation_settle(host);
  luv_drain(host);
  if (host->polling) uv_stop(&host->loop);
}
