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

static int need_timer(struct host *host) {
  struct watchdog *watchdog = &host->watchdog;
  int status = watchdog->is_open ? 0 : create(watchdog);
  if (status == 0) watchdog->is_open = true;
  return status;
}

int watchdog_open(struct host *host, unsigned limit_ms) {
  if (limit_ms == 0) return 0;
  int status = need_timer(host);
  if (status == 0) host->watchdog.limit = limit_ms * UINT64_C(1000000);
  return status;
}

void watchdog_close(struct host *host) {
  struct watchdog *watchdog = &host->watchdog;
  watchdog->limit = watchdog->cpu_slice = watchdog->slice = 0;
  if (watchdog->is_open) destroy(watchdog);
  watchdog->is_open = false;
}

/* ---- awake while the loop is at work ------------------------------------- */

static uint64_t shortest(const struct watchdog *watchdog) {
  return watchdog->limit != 0 ? watchdog->limit : watchdog->cpu_slice;
}

/* What this thread has computed; the clock's time, where nobody counts that. */
static uint64_t cpu_now(void) {
#ifdef CLOCK_THREAD_CPUTIME_ID
  struct timespec ts;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) == 0)
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
#endif
  return uv_hrtime();
}

static void begin_at(struct watchdog *watchdog, uint64_t now) {
  watchdog->since = now;
  if (watchdog->slice != 0) watchdog->cpu_since = cpu_now();
}

void watchdog_wake(struct host *host) {
  struct watchdog *watchdog = &host->watchdog;
  if (watchdog->awake || shortest(watchdog) == 0) return;
  watchdog->seen = host->runs;
  begin_at(watchdog, uv_hrtime());
  watchdog->has_reported = false;
  watchdog->rests = 0;
  watchdog->awake = 1;
  arm(watchdog, shortest(watchdog) / 2);
}

static void sleep_again(struct watchdog *watchdog) {
  arm(watchdog, 0);
  watchdog->awake = 0;
}

int watchdog_guard(struct host *host, unsigned cpu_ms, unsigned ms) {
  struct watchdog *watchdog = &host->watchdog;
  int status = ms > 0 ? need_timer(host) : 0;
  if (status < 0) return status;
  watchdog->cpu_slice = cpu_ms * UINT64_C(1000000);
  watchdog->slice = ms * UINT64_C(1000000);
  if (watchdog->awake) watchdog->cpu_since = cpu_now();
  if (watchdog->awake && shortest(watchdog) == 0) sleep_again(watchdog);
  return 0;
}

/* Is it still the task that was seen before? */
static bool is_same(struct host *host, uint64_t now) {
  struct watchdog *watchdog = &host->watchdog;
  bool same = host->runs == watchdog->seen;
  watchdog->rests = same && host->current == NULL ? watchdog->rests + 1 : 0;
  if (same && host->current != NULL) return true;
  watchdog->seen = host->runs;
  begin_at(watchdog, now);
  watchdog->has_reported = false;
  return false;
}

static bool is_over(const struct watchdog *watchdog, uint64_t held) {
  return watchdog->slice != 0 &&
         (held >= watchdog->slice ||
          cpu_now() - watchdog->cpu_since >= watchdog->cpu_slice);
}

enum watchdog_finding watchdog_look(struct host *host) {
  struct watchdog *watchdog = &host->watchdog;
  uint64_t now = uv_hrtime();
  if (shortest(watchdog) == 0) return WATCHDOG_NOTHING;
  bool same = is_same(host, now);
  if (watchdog->rests == RESTS_MOST) sleep_again(watchdog);
  if (!same) return WATCHDOG_NOTHING;
  uint64_t held = now - watchdog->since;
  if (is_over(watchdog, held)) {
    begin_at(watchdog, now); /* its __close gets as much */
    return WATCHDOG_CUT;
  }
  if (watchdog->limit == 0 || held < watchdog->limit || watchdog->has_reported)
    return WATCHDOG_NOTHING;
  watchdog->has_reported = true; /* what blocks is not to be disturbed twice */
  if (watchdog->slice == 0) sleep_again(watchdog);
  return WATCHDOG_OVERRUN;
}
