/* wheel.c - the wheel of timeouts, and how it turns. */
#include "host/wheel.h"

#include <assert.h>
#include <stddef.h>

/* A slot of it is 1 << shift ticks. The numbers are powers of two. */
static const struct level {
  unsigned shift, slots, first;
} levels[WHEEL_LEVELS + 1] = {
  {0, 2048, 0},    {11, 128, 2048}, {18, 128, 2176},
  {25, 128, 2304}, {32, 0, 2432}, /* beyond the last one */
};

static unsigned slot_at(uint64_t tick, const struct level *level) {
  return (unsigned)(tick >> level->shift) & (level->slots - 1);
}

static void insert_before(struct link *next, struct link *link) {
  link->next = next;
  link->prev = next->prev;
  next->prev->next = link;
  next->prev = link;
}

static void take_out(struct link *link) {
  link->prev->next = link->next;
  link->next->prev = link->prev;
  link->next = link->prev = NULL;
}

/* A million timeouts do not fit into a cache: ask for the one after the next,
 * and what it lies in, while this one is at work (measured: a quarter less). */
static void fetch(const struct link *link) {
  __builtin_prefetch((const char *)link - 64);
  __builtin_prefetch(link);
  __builtin_prefetch((const char *)link + 64);
}

static void empty(struct link *ring) {
  ring->next = ring->prev = ring;
}

static bool is_empty(const struct link *ring) {
  return ring->next == ring;
}

/* Moves all of `from` to the end of `to`. */
static void splice(struct link *from, struct link *to) {
  if (is_empty(from)) return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  empty(from);
}

void wheel_open(struct wheel *wheel, uint64_t now) {
  *wheel = (struct wheel){.now = now};
  for (int slot = 0; slot < WHEEL_SLOTS; slot++) empty(&wheel->slots[slot]);
  empty(&wheel->late);
}

/* The slot for its time, marked as used. */
static struct link *slot_for(struct wheel *wheel, uint64_t due) {
  uint64_t distance = due - wheel->now;
  uint64_t tick = due;
  const struct level *level = levels, *last = &levels[WHEEL_LEVELS - 1];
  while (level < last && distance >> level[1].shift != 0) level++;
  if (distance >> level[1].shift != 0) tick = wheel->now + UINT32_MAX;
  unsigned slot = level->first + slot_at(tick, level);
  wheel->used[slot / 64] |= UINT64_C(1) << (slot % 64);
  return &wheel->slots[slot];
}

void wheel_add(struct wheel *wheel, struct timeout *timeout, uint64_t due) {
  assert(!wheel_has(timeout));
  timeout->due = due > wheel->now ? due : wheel->now + 1;
  insert_before(slot_for(wheel, timeout->due), &timeout->link);
}

void wheel_add_late(struct wheel *wheel, struct timeout *timeout,
                    uint64_t due) {
  assert(!wheel_has(timeout));
  timeout->due = due;
  insert_before(&wheel->late, &timeout->link);
}

/* The bit of its slot stays set: whoever finds the slot empty clears it. */
void wheel_remove(struct timeout *timeout) {
  if (wheel_has(timeout)) take_out(&timeout->link);
}

bool wheel_has(const struct timeout *timeout) {
  return timeout->link.next != NULL;
}

/* Moves what the current slot of a level holds to an empty ring. */
static void take_slot(struct wheel *wheel, const struct level *level,
                      struct link *ring) {
  unsigned slot = level->first + slot_at(wheel->now, level);
  splice(&wheel->slots[slot], ring);
  wheel->used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

/* What lay on a higher level was added before what a slot below it holds for
 * the same tick: so it goes to the front there, the last one first. */
static void move_down(struct wheel *wheel, const struct level *level) {
  struct link ring;
  empty(&ring);
  take_slot(wheel, level, &ring);
  while (!is_empty(&ring)) {
    struct timeout *timeout = (struct timeout *)ring.prev;
    fetch(timeout->link.prev->prev);
    take_out(&timeout->link);
    insert_before(slot_for(wheel, timeout->due)->next, &timeout->link);
  }
}

static int fire(struct wheel *wheel, int limit) {
  while (!is_empty(&wheel->late) && limit > 0) {
    struct timeout *timeout = (struct timeout *)wheel->late.next;
    fetch(timeout->link.next->next);
    take_out(&timeout->link);
    timeout->fire(timeout);
    limit--;
  }
  return limit;
}

/* Steps from the current slot of a level to its next one in use, 0 if none. */
static unsigned next_used(const struct wheel *wheel,
                          const struct level *level) {
  unsigned here = slot_at(wheel->now, level);
  for (unsigned step = 1; step <= level->slots;) {
    unsigned slot = level->first + ((here + step) & (level->slots - 1));
    uint64_t bits = wheel->used[slot / 64] >> (slot % 64);
    if (bits != 0) {
      step += (unsigned)__builtin_ctzll(bits);
      return step <= level->slots ? step : 0;
    }
    step += 64 - slot % 64;
  }
  return 0;
}

/* The first in use of each level: a higher one may begin sooner than it. */
bool wheel_next(const struct wheel *wheel, uint64_t *ticks) {
  *ticks = !is_empty(&wheel->late) ? 0 : UINT64_MAX;
  for (int i = 0; i < WHEEL_LEVELS; i++) {
    uint64_t unit = UINT64_C(1) << levels[i].shift;
    unsigned step = next_used(wheel, &levels[i]);
    uint64_t start = (wheel->now / unit + step) * unit - wheel->now;
    if (step != 0 && start < *ticks) *ticks = start;
  }
  return *ticks != UINT64_MAX;
}

/* The first due of a slot's, where that is before `due`. */
static uint64_t first_of(const struct link *ring, uint64_t due) {
  for (const struct link *link = ring->next; link != ring; link = link->next)
    if (((const struct timeout *)link)->due < due)
      due = ((const struct timeout *)link)->due;
  return due;
}

/* In each level the first slot that holds something has the first of it; but
 * what is beyond the last level may lie in any of that one's. */
bool wheel_first(const struct wheel *wheel, uint64_t *due) {
  *due = first_of(&wheel->late, UINT64_MAX);
  for (int i = 0; i < WHEEL_LEVELS; i++) {
    const struct level *level = &levels[i];
    unsigned here = slot_at(wheel->now, level), step = 1;
    for (; step <= level->slots; step++) {
      unsigned slot = level->first + ((here + step) & (level->slots - 1));
      const struct link *ring = &wheel->slots[slot];
      if (is_empty(ring)) continue;
      *due = first_of(ring, *due);
      if (i < WHEEL_LEVELS - 1) break;
    }
  }
  return *due != UINT64_MAX;
}

static uint64_t next_stop(const struct wheel *wheel, uint64_t now) {
  uint64_t ticks;
  if (!wheel_next(wheel, &ticks)) return now;
  return wheel->now + ticks < now ? wheel->now + ticks : now;
}

bool wheel_advance(struct wheel *wheel, uint64_t now, int limit) {
  limit = fire(wheel, limit);
  while (wheel->now < now && is_empty(&wheel->late)) {
    wheel->now = next_stop(wheel, now);
    for (int i = WHEEL_LEVELS - 1; i > 0; i--)
      if ((wheel->now & ((UINT64_C(1) << levels[i].shift) - 1)) == 0)
        move_down(wheel, &levels[i]);
    take_slot(wheel, levels, &wheel->late);
    limit = fire(wheel, limit);
  }
  return !is_empty(&wheel->late);
}
