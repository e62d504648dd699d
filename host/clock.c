/* clock.c - arms libuv's timer for the wheel's next stop, never per timeout.
 * While time stands it is armed for a moment that never comes, so that libuv
 * holds the loop alive for it as ever. */
#include "host/clock.h"

#include <stdlib.h>
#include <sys/time.h>

#include "host/virtual_time.h"

/* So many timeouts fire per turn: each may start a task, and tasks that are
 * ready all at once are memory. The others are late by a turn. */
enum { FIRE_LIMIT = 256 };

/* It ends the poll, also when it is due before that begins (a task has held
 * the loop): libuv would then wait for sockets. clock_advance comes next. */
static void on_alarm(uv_timer_t *uv) {
  uv_stop(uv->loop);
}

enum { NEVER_MS = 1 << 30 }; /* twelve days */

static void arm(struct clock *clock, uint64_t due) {
  clock->alarm = due;
  if (clock->still != NULL) return;
  uint64_t now = clock_ms(clock);
  uv_timer_start(&clock->uv, on_alarm, due > now ? due - now : 0, 0);
}

void clock_open(struct clock *clock, uv_loop_t *loop) {
  uv_timer_init(loop, &clock->uv);
  uv_unref((uv_handle_t *)&clock->uv);
  wheel_open(&clock->wheel, uv_now(loop));
  clock->alarm = UINT64_MAX;
}

void clock_close(struct clock *clock) {
  uv_close((uv_handle_t *)&clock->uv, NULL);
  free(clock->still);
  clock->still = NULL;
}

uint64_t clock_still_ms(const struct clock *clock) {
  return clock->still->at;
}

uint64_t clock_after(const struct clock *clock, lua_Number seconds) {
  return clock_at(clock_ns(clock) + (uint64_t)(seconds * 1e9 + 0.5));
}

double clock_wall(const struct clock *clock) {
  const struct virtual_time *still = clock->still;
  if (still != NULL)
    return still->wall + (double)(still->at - still->began) / 1e3;
  struct timeval now;
  gettimeofday(&now, NULL);
  return (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

void clock_set(struct clock *clock, struct timeout *timeout, uint64_t due) {
  if (clock->alarm == UINT64_MAX) /* empty: it may lie behind, and may jump */
    wheel_advance(&clock->wheel, clock_ms(clock), 0);
  if (clock->still != NULL && due <= clock->still->at)
    wheel_add_late(&clock->wheel, timeout, due); /* at this very moment */
  else
    wheel_add(&clock->wheel, timeout, due);
  if (timeout->due < clock->alarm) arm(clock, timeout->due);
}

void clock_cancel(struct clock *clock, struct timeout *timeout) {
  (void)clock;
  wheel_remove(timeout); /* the alarm may ring for nothing, once */
}

void clock_hold(struct clock *clock) {
  if (clock->holders++ == 0) uv_ref((uv_handle_t *)&clock->uv);
}

void clock_release(struct clock *clock) {
  if (--clock->holders == 0) uv_unref((uv_handle_t *)&clock->uv);
}

bool clock_advance(struct clock *clock) {
  uint64_t now = clock_ms(clock), ticks;
  if (now < clock->alarm) return false;
  clock->alarm = 0; /* what fires may set timeouts: nothing to arm for them */
  bool more = wheel_advance(&clock->wheel, now, FIRE_LIMIT);
  if (wheel_next(&clock->wheel, &ticks)) {
    arm(clock, clock->wheel.now + ticks);
  } else {
    clock->alarm = UINT64_MAX;
    if (clock->still == NULL) uv_timer_stop(&clock->uv);
  }
  return more;
}

void clock_rearm(struct clock *clock) {
  if (clock->still != NULL)
    uv_timer_start(&clock->uv, on_alarm, NEVER_MS, NEVER_MS);
  else
    arm(clock, clock_ms(clock)); /* clock_advance finds what is due when */
}
