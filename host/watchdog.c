/* watchdog.c - a timer that is armed while the loop is at work. */
#include "host/watchdog.h"

#include <errno.h>
#include <string.h>

#include "host/host.h"
#include "host/signals.h"

enum { RESTS_MOST = 3 };

static void arm(struct watchdog *watchdog, uint64_t period) {
  struct itimerspec spec;
  spec.it_value.tv_sec = (time_t)(period / 1000000000);
  spec.it_value.tv_nsec = (long)(period % 1000000000);
  spec.it_interval = spec.it_value;
  timer_settime(watchdog->timer, 0, &spec, NULL);
}

int watchdog_open(struct host *host, unsigned limit_ms) {
  struct watchdog *watchdog = &host->watchdog;
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGNAL_LOOK;
  if (limit_ms == 0) return 0;
  if (timer_create(CLOCK_MONOTONIC, &event, &watchdog->timer) < 0)
    return uv_translate_sys_error(errno);
  watchdog->limit = limit_ms * UINT64_C(1000000);
  return 0;
}

void watchdog_close(struct host *host) {
  if (host->watchdog.limit == 0) return;
  host->watchdog.limit = 0;
  timer_delete(host->watchdog.timer);
}

void watchdog_wake(struct host *host) {
  struct watchdog *watchdog = &host->watchdog;
  if (watchdog->awake || watchdog->limit == 0) return;
  watchdog->seen = host->runs;
  watchdog->since = uv_hrtime();
  watchdog->rests = 0;
  watchdog->awake = 1;
  arm(watchdog, watchdog->limit / 2);
}

static void sleep_again(struct watchdog *watchdog) {
  arm(watchdog, 0);
  watchdog->awake = 0;
}

bool watchdog_look(struct host *host) {
  struct watchdog *watchdog = &host->watchdog;
  uint64_t now = uv_hrtime();
  if (watchdog->limit == 0) return false;
  bool same = host->runs == watchdog->seen;
  watchdog->rests = same && host->current == NULL ? watchdog->rests + 1 : 0;
  if (watchdog->rests == RESTS_MOST) sleep_again(watchdog);
  if (!same || host->current == NULL) {
    watchdog->seen = host->runs;
    watchdog->since = now;
  }
  if (now - watchdog->since < watchdog->limit) return false;
  sleep_again(watchdog); /* what blocks is not to be disturbed twice */
  return true;
}
