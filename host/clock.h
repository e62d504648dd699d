/* clock.h - the wheel of timeouts, driven by one uv_timer.
 *
 * Loop time is libuv's: milliseconds of the monotonic clock, read once a turn.
 * The uv_timer only ends the poll when the next timeout is due; the loop then
 * fires a bounded number of them, so that a burst cannot starve the sockets. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include <lua.h>
#include <uv.h>

#include "host/wheel.h"

struct clock {
  uv_timer_t uv;
  struct wheel wheel;
  uint64_t alarm; /* when something may be due, UINT64_MAX: nothing */
  int holders;    /* timeouts that keep the loop alive */
};

void clock_open(struct clock *clock, uv_loop_t *loop);
void clock_close(struct clock *clock);
/* The first loop time that is not before a time of uv_hrtime: so a timeout is
 * never early, and at most a millisecond late by itself. */
static inline uint64_t clock_at(uint64_t ns) {
  return (ns + 999999) / 1000000;
}
uint64_t clock_after(lua_Number seconds); /* from this very moment */
void clock_set(struct clock *clock, struct timeout *timeout, uint64_t due);
void clock_cancel(struct clock *clock, struct timeout *timeout);
void clock_hold(struct clock *clock);
void clock_release(struct clock *clock);
/* Fires what is due; true if more is. */
bool clock_advance(struct clock *clock);

#endif
