/* clock.c - arms libuv's timer for the wheel's next stop, never per timeout. */
#include "host/clock.h"

#include <math.h>

/* So many timeouts fire per turn: each may start a task, and tasks that are
 * ready all at once are memory. The others are late by a turn. */
enum { FIRE_LIMIT = 256 };

static void on_alarm(uv_timer_t *uv) {
  (void)uv; /* it has ended the poll: clock_advance comes next */
}

static void arm(struct clock *clock, uint64_t due) {
  uint64_t now = uv_now(clock->uv.loop);
  clock->alarm = due;
  uv_timer_start(&clock->uv, on_alarm, due > now ? due - now : 0, 0);
}

void clock_open(struct clock *clock, uv_loop_t *loop) {
  uv_timer_init(loop, &clock->uv);
  uv_unref((uv_handle_t *)&clock->uv);
  clock->wheel.now = uv_now(loop);
  clock->alarm = UINT64_MAX;
}

void clock_close(struct clock *clock) {
  uv_close((uv_handle_t *)&clock->uv, NULL);
}

uint64_t clock_after(lua_Number seconds) {
  return (uint64_t)ceil(((lua_Number)uv_hrtime() + seconds * 1e9) / 1e6);
}

void clock_set(struct clock *clock, struct timeout *timeout, uint64_t due) {
  if (clock->alarm == UINT64_MAX) /* empty: it may lie behind, and may jump */
    wheel_advance(&clock->wheel, uv_now(clock->uv.loop), 0);
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
  uint64_t now = uv_now(clock->uv.loop), ticks;
  if (now < clock->alarm) return false;
  clock->alarm = 0; /* what fires may set timeouts: nothing to arm for them */
  bool more = wheel_advance(&clock->wheel, now, FIRE_LIMIT);
  if (wheel_next(&clock->wheel, &ticks)) {
    arm(clock, clock->wheel.now + ticks);
  } else {
    clock->alarm = UINT64_MAX;
    uv_timer_stop(&clock->uv);
  }
  return more;
}
