/* clock.c - arms libuv's timer for the wheel's next stop, never per timeout. */
#include "host/clock.h"

/* So many timeouts fire per turn: each may start a task, and tasks that are
 * ready all at once are memory. The others are late by a turn. */
enum { FIRE_LIMIT = 256 };

/* It ends the poll, also when it is due before that begins (a task has held
 * the loop): libuv would then wait for sockets. clock_advance comes next. */
static void on_alarm(uv_timer_t *uv) {
  uv_stop(uv->loop);
}

static void arm(struct clock *clock, uint64_t due) {
  uint64_t now = uv_now(clock->uv.loop);
  clock->alarm = due;
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
}

uint64_t clock_after(lua_Number seconds) {
  return clock_at(uv_hrtime() + (uint64_t)(seconds * 1e9 + 0.5));
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
