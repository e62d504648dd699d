/* wheel.h - many timeouts, each added, removed and fired in constant time.
 *
 * Four levels: a slot of level 0 is one tick (1 ms), one of level 1 is 2048
 * ticks, one of each level above 128 of the level below: 49 days in all. Level 0
 * is long because most timeouts are short, and to move one costs as much as to
 * add it. A timeout lies on the lowest level that can tell its tick from now;
 * when time reaches a slot of a higher level, its timeouts move down. Those due at the same tick fire in the order in which
 * they were added. Pure data: no clock, no Lua, no libuv. */
#ifndef HOST_WHEEL_H
#define HOST_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

enum { WHEEL_LEVELS = 4, WHEEL_SLOTS = 2048 + 3 * 128 };

struct link { /* in a ring; next == NULL: in none */
  struct link *next, *prev;
};

struct timeout {
  struct link link; /* first member */
  uint64_t due;
  void (*fire)(struct timeout *timeout);
  void *data; /* for `fire` */
};

struct wheel {
  uint64_t now; /* every timeout due at or before it has fired */
  struct link slots[WHEEL_SLOTS];  /* each begins a ring; of all levels */
  uint64_t used[WHEEL_SLOTS / 64]; /* a bit per slot */
  struct link late; /* due, but wheel_advance had reached its limit */
};

void wheel_open(struct wheel *wheel, uint64_t now);
void wheel_add(struct wheel *wheel, struct timeout *timeout, uint64_t due);
/* It is due already: the next wheel_advance fires it, after those before it. */
void wheel_add_late(struct wheel *wheel, struct timeout *timeout, uint64_t due);
void wheel_remove(struct timeout *timeout); /* no-op where it is not in one */
bool wheel_has(const struct timeout *timeout);
/* Fires what is due, at most `limit`; true if some had to stay behind. */
bool wheel_advance(struct wheel *wheel, uint64_t now, int limit);
/* Ticks until something may be due; false if the wheel is empty. */
bool wheel_next(const struct wheel *wheel, uint64_t *ticks);
/* When the first one is due, exactly. It looks through what lies near it. */
bool wheel_first(const struct wheel *wheel, uint64_t *due);

#endif
