/* clock.h - the wheel of timeouts, driven by one uv_timer.
 *
 * Loop time is libuv's: milliseconds of the monotonic clock, read once a turn.
 * The uv_timer only ends the poll when the next timeout is due; the loop then
 * fires a bounded number of them, so that a burst cannot starve the sockets.
 * In a spec time may stand still (virtual_time.h): so whoever asks for the time
 * asks here. When it goes on, it does so from where it was: loop time never
 * goes back, and may be far ahead of libuv's. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include <lua.h>
#include <uv.h>

#include "host/wheel.h"

struct virtual_time;

struct clock {
  uv_timer_t uv;
  struct wheel wheel;
  uint64_t alarm; /* when something may be due, UINT64_MAX: nothing */
  int holders;    /* timeouts that keep the loop alive */
  uint64_t ahead; /* ms: what loop time has gained on libuv's */
  uint64_t lead;  /* ns: what a script's monotonic clock has on loop time */
  struct virtual_time *still; /* where time stands, NULL: it passes */
};

void clock_open(struct clock *clock, uv_loop_t *loop);
void clock_close(struct clock *clock);

uint64_t clock_still_ms(const struct clock *clock);
/* Loop time, as of this turn: for what need not be exact. */
static inline uint64_t clock_ms(const struct clock *clock) {
  if (clock->still != NULL) return clock_still_ms(clock);
  return uv_now(clock->uv.loop) + clock->ahead;
}
/* Loop time at this very moment, in nanoseconds. */
static inline uint64_t clock_ns(const struct clock *clock) {
  if (clock->still != NULL) return clock_still_ms(clock) * 1000000;
  return uv_hrtime() + clock->ahead * 1000000;
}
/* The first loop time that is not before a time of clock_ns: so a timeout is
 * never early, and at most a millisecond late by itself. */
static inline uint64_t clock_at(uint64_t ns) {
  return (ns + 999999) / 1000000;
}
/* So long from this very moment. */
uint64_t clock_after(const struct clock *clock, lua_Number seconds);
static inline uint64_t clock_after_ms(const struct clock *clock, uint64_t ms) {
  return clock_at(clock_ns(clock)) + ms;
}
double clock_wall(const struct clock *clock); /* seconds since 1970 */

void clock_set(struct clock *clock, struct timeout *timeout, uint64_t due);
void clock_cancel(struct clock *clock, struct timeout *timeout);
void clock_hold(struct clock *clock);
void clock_release(struct clock *clock);
/* Fires what is due; true if more is. */
bool clock_advance(struct clock *clock);
/* For virtual_time.c: loop time no longer is what it was armed by. */
void clock_rearm(struct clock *clock);

#endif
