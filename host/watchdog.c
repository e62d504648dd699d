/* watchdog.c - a timer that is armed while the loop is at work. */
#include "host/watchdog.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "host/host.h"
#include "host/signals.h"

enum { RESTS_MOST = 3 };

/* ---- the system's timer -------------------------------------------------- */

static struct timespec to_timespec(uint64_t ns) {
  return (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                           .tv_nsec = (long)(ns % 1000000000)};
}

#if defined(_POSIX_TIMERS) && _POSIX_TIMERS > 0

static int create(struct watchdog *watchdog) {
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGNAL_LOOK;
  if (timer_create(CLOCK_MONOTONIC, &event, &watchdog->timer) == 0) return 0;
  return uv_translate_sys_error(errno);
}

static void arm(struct watchdog *watchdog, uint64_t period) {
  struct itimerspec spec = {to_timespec(period), to_timespec(period)};
  timer_settime(watchdog->timer, 0, &spec, NULL);
}

static void destroy(struct watchdog *watchdog) {
  timer_delete(watchdog->timer);
}

#else /* macOS: the one timer that every process has */

static int create(struct watchdog *watchdog) {
  (void)watchdog;
  return 0;
}

static void arm(struct watchdog *watchdog, uint64_t period) {
  struct timespec ts = to_timespec(period);
  struct timeval tv = {ts.tv_sec, (suseconds_t)(ts.tv_nsec / 1000)};
  struct itimerval spec = {tv, tv};
  (void)watchdog;
  setitimer(ITIMER_REAL, &spec, NULL);
}

static void destroy(struct watchdog *watchdog) {
  arm(watchdog, 0);
}

#endif

/* ---- open and close ------------------------------------------------------ */

int watchdog_open(struct host *host, unsigned limit_ms) {
  if (limit_ms == 0) return 0;
  int status = create(&host->watchdog);
  if (status == 0) host->watchdog.limit = limit_ms * UINT64_C(1000000);
  return status;
}

void watchdog_close(struct host *host) {
  if (host->watchdog.limit == 0) return;
  host->watchdog.limit = 0;
  destroy(&host->watchdog);
}

/* ---- awake while the loop is at work ------------------------------------- */

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
