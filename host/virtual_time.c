/* virtual_time.c - decides when nothing more will happen at this moment, and
 * what the next one is. */
#include "host/virtual_time.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "host/host.h"
#include "host/task.h"

enum {
  QUIET_POLLS = 3,  /* so often in a row: what one brings may cause another */
  CARRY_NS = 100000 /* what was sent has this to arrive, see has_arrived */
};

/* ---- begin, end ---------------------------------------------------------- */

bool virtual_time_begin(struct host *host, double wall) {
  struct clock *clock = &host->clock;
  assert(clock->still == NULL);
  struct virtual_time *still = calloc(1, sizeof *still);
  if (still == NULL) return false;
  still->at = still->began = clock_at(clock_ns(clock));
  still->wall = wall;
  /* Seconds that a script adds and subtracts are exact where they are whole:
   * its monotonic clock begins with one. */
  uint64_t over = (still->at * 1000000 + clock->lead) % 1000000000;
  if (over != 0) clock->lead += 1000000000 - over;
  clock->still = still;
  clock_rearm(clock);
  return true;
}

void virtual_time_end(struct host *host) {
  struct clock *clock = &host->clock;
  struct virtual_time *still = clock->still;
  if (still == NULL) return;
  while (still->moments != NULL) {
    struct task *waiter = still->moments->waiter;
    virtual_time_remove(host, still->moments);
    task_wake(waiter, UV_ECANCELED);
  }
  uv_update_time(&host->loop);
  clock->ahead = still->at - uv_now(&host->loop); /* may be below zero */
  clock->still = NULL;
  clock_rearm(clock);
  free(still);
}

/* ---- moments that somebody waits for ------------------------------------- */

void virtual_time_add(struct host *host, struct moment *moment, uint64_t due) {
  struct moment **link = &host->clock.still->moments;
  while (*link != NULL && (*link)->due <= due) link = &(*link)->next;
  moment->due = due;
  moment->next = *link;
  *link = moment;
  clock_hold(&host->clock);
}

void virtual_time_remove(struct host *host, struct moment *moment) {
  if (host->clock.still == NULL) return;
  struct moment **link = &host->clock.still->moments;
  while (*link != NULL && *link != moment) link = &(*link)->next;
  if (*link == NULL) return;
  *link = moment->next;
  clock_release(&host->clock);
}

/* ---- is anything in flight? ---------------------------------------------- */

/* The poller has something, or libuv has not asked it yet. */
static bool is_stirring(struct host *host) {
  uv_loop_t *loop = &host->loop;
  struct pollfd fd = {.fd = uv_backend_fd(loop), .events = POLLIN};
  if (poll(&fd, 1, 0) > 0) return true;
  return uv_loop_alive(loop) && uv_backend_timeout(loop) == 0;
}

/* Requests of libuv's that somebody waits for, and that do not wait for a peer:
 * in the thread pool. And programs that are run as one waits for a function. */
static bool has_requests(const struct host *host) {
  return host->errands > 0 || host->loop.active_reqs.count >
                                host->peer_requests + host->forsaken_requests;
}

/* What is sent over loopback lies in the other socket when the call returns,
 * but for a system under load: it may leave that to a thread of its own. That
 * one needs a processor, so a poll that does not wait would not see it. */
static void give_way(void) {
  nanosleep(&(struct timespec){.tv_nsec = CARRY_NS}, NULL);
}

/* Polls until nothing more comes. False: there is something to run. */
static bool settle(struct host *host) {
  unsigned runs = host->runs;
  bool sent = host->has_sent;
  host->has_sent = false;
  for (int quiet = 0; quiet < QUIET_POLLS;) {
    bool stirring = is_stirring(host);
    uv_run(&host->loop, UV_RUN_NOWAIT);
    if (host->runs != runs || !queue_is_empty(&host->ready)) {
      host->has_sent = host->has_sent || sent;
      return false;
    }
    quiet = stirring ? 0 : quiet + 1;
    sent = sent || stirring;
    if (quiet < QUIET_POLLS || !sent) continue;
    give_way();
    sent = false;
    quiet = QUIET_POLLS - 1; /* once more */
  }
  return true;
}

/* ---- the next moment ----------------------------------------------------- */

/* False: no timeout keeps the loop alive, nothing to jump to. */
static bool jump(struct clock *clock) {
  struct virtual_time *still = clock->still;
  struct moment *moment = still->moments;
  uint64_t due;
  if (clock->holders == 0) return false;
  bool some = wheel_first(&clock->wheel, &due);
  if (moment != NULL && (!some || moment->due < due)) {
    if (moment->due > still->at) still->at = moment->due;
    still->moments = moment->next;
    clock_release(clock);
    task_wake(moment->waiter, 0);
    return true;
  }
  if (some && due > still->at) still->at = due;
  return some;
}

void virtual_time_poll(struct host *host, bool more) {
  uv_loop_t *loop = &host->loop;
  if (more || !queue_is_empty(&host->ready))
    uv_run(loop, UV_RUN_NOWAIT);
  else if (settle(host) && (has_requests(host) || !jump(&host->clock)))
    uv_run(loop, UV_RUN_ONCE);
}
