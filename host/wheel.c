/* wheel.c - the wheel of timeouts, and how it turns. */
#include "host/wheel.h"

#include <assert.h>
#include <stddef.h>

enum { SLOT_BITS = 8, SLOT_MASK = WHEEL_SLOTS - 1 };

static unsigned slot_at(uint64_t tick, int level) {
  return (unsigned)(tick >> (level * SLOT_BITS)) & SLOT_MASK;
}

static void append(struct timeout_list *list, struct timeout *timeout) {
  if (list->first == NULL) list->last = &list->first;
  timeout->list = list;
  timeout->next = NULL;
  timeout->link = list->last;
  *list->last = timeout;
  list->last = &timeout->next;
}

static void prepend(struct timeout_list *list, struct timeout *timeout) {
  timeout->list = list;
  timeout->next = list->first;
  timeout->link = &list->first;
  if (timeout->next != NULL)
    timeout->next->link = &timeout->next;
  else
    list->last = &timeout->next;
  list->first = timeout;
}

/* The slot for its time, marked as used. */
static struct timeout_list *slot_for(struct wheel *wheel, uint64_t due) {
  uint64_t distance = due - wheel->now;
  uint64_t tick = due;
  int level = 0;
  while (level < WHEEL_LEVELS - 1 &&
         distance >> ((level + 1) * SLOT_BITS) != 0)
    level++;
  if (distance >> (WHEEL_LEVELS * SLOT_BITS) != 0) /* beyond the last level */
    tick = wheel->now + UINT32_MAX;
  unsigned slot = slot_at(tick, level);
  wheel->used[level][slot / 64] |= UINT64_C(1) << (slot % 64);
  return &wheel->slots[level][slot];
}

void wheel_add(struct wheel *wheel, struct timeout *timeout, uint64_t due) {
  assert(timeout->link == NULL);
  timeout->due = due > wheel->now ? due : wheel->now + 1;
  append(slot_for(wheel, timeout->due), timeout);
}

/* The bit of its slot stays set: whoever finds the slot empty clears it. */
void wheel_remove(struct timeout *timeout) {
  if (timeout->link == NULL) return;
  *timeout->link = timeout->next;
  if (timeout->next != NULL)
    timeout->next->link = timeout->link;
  else
    timeout->list->last = timeout->link;
  timeout->link = NULL;
}

static struct timeout *take_slot(struct wheel *wheel, int level) {
  unsigned slot = slot_at(wheel->now, level);
  struct timeout *first = wheel->slots[level][slot].first;
  wheel->slots[level][slot].first = NULL;
  wheel->used[level][slot / 64] &= ~(UINT64_C(1) << (slot % 64));
  return first;
}

static struct timeout *reverse(struct timeout *first) {
  struct timeout *reversed = NULL;
  while (first != NULL) {
    struct timeout *next = first->next;
    first->next = reversed;
    reversed = first;
    first = next;
  }
  return reversed;
}

/* What lay on a higher level was added before what a slot below it holds for
 * the same tick: so it goes to the front there, in its own order. */
static void move_down(struct wheel *wheel, int level) {
  struct timeout *rest = reverse(take_slot(wheel, level));
  while (rest != NULL) {
    struct timeout *timeout = rest;
    rest = timeout->next;
    prepend(slot_for(wheel, timeout->due), timeout);
  }
}

static void make_late(struct wheel *wheel) {
  struct timeout *rest = take_slot(wheel, 0);
  while (rest != NULL) {
    struct timeout *timeout = rest;
    rest = timeout->next;
    append(&wheel->late, timeout);
  }
}

static int fire(struct wheel *wheel, int limit) {
  while (wheel->late.first != NULL && limit > 0) {
    struct timeout *timeout = wheel->late.first;
    wheel_remove(timeout);
    timeout->fire(timeout);
    limit--;
  }
  return limit;
}

/* Steps from the current slot of a level to its next one in use, 0 if none. */
static unsigned next_used(const struct wheel *wheel, int level) {
  unsigned here = slot_at(wheel->now, level);
  for (unsigned step = 1; step <= WHEEL_SLOTS;) {
    unsigned slot = (here + step) & SLOT_MASK;
    uint64_t bits = wheel->used[level][slot / 64] >> (slot % 64);
    if (bits != 0) {
      step += (unsigned)__builtin_ctzll(bits);
      return step <= WHEEL_SLOTS ? step : 0;
    }
    step += 64 - slot % 64;
  }
  return 0;
}

/* The first in use of each level: a higher one may begin sooner than it. */
bool wheel_next(const struct wheel *wheel, uint64_t *ticks) {
  *ticks = wheel->late.first != NULL ? 0 : UINT64_MAX;
  for (int level = 0; level < WHEEL_LEVELS; level++) {
    uint64_t unit = UINT64_C(1) << (level * SLOT_BITS);
    unsigned step = next_used(wheel, level);
    uint64_t start = (wheel->now / unit + step) * unit - wheel->now;
    if (step != 0 && start < *ticks) *ticks = start;
  }
  return *ticks != UINT64_MAX;
}

static uint64_t next_stop(const struct wheel *wheel, uint64_t now) {
  uint64_t ticks;
  if (!wheel_next(wheel, &ticks)) return now;
  return wheel->now + ticks < now ? wheel->now + ticks : now;
}

bool wheel_advance(struct wheel *wheel, uint64_t now, int limit) {
  limit = fire(wheel, limit);
  while (wheel->now < now && wheel->late.first == NULL) {
    wheel->now = next_stop(wheel, now);
    for (int level = WHEEL_LEVELS - 1; level > 0; level--)
      if ((wheel->now & ((UINT64_C(1) << (level * SLOT_BITS)) - 1)) == 0)
        move_down(wheel, level);
    make_late(wheel);
    limit = fire(wheel, limit);
  }
  return wheel->late.first != NULL;
}
