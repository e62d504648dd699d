/* wheel.c - the wheel of timeouts against a naive model: a list that is
 * searched. Whatever is added, removed and fired at random, both must name the
 * same timeouts in the same order. */
#include "host/wheel.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { ITEMS = 400, STEPS = 20000 };

struct item {
  struct timeout timeout; /* first member */
  uint64_t due;           /* 0: not in the wheel */
  uint64_t turn;          /* the order in which they were added */
};

static struct wheel wheel;
static struct item items[ITEMS];
static uint64_t turns;
static uint64_t random_state;

/* What the wheel has fired since `fired_count` was last set to 0. */
static struct item *fired[ITEMS * 4];
static int fired_count;
static bool is_wild; /* what fires adds and removes others */

static uint64_t next_random(void) { /* xorshift64 */
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static uint64_t below(uint64_t limit) {
  return next_random() % limit;
}

/* ---- the model ----------------------------------------------------------- */

static struct item *earliest(void) {
  struct item *first = NULL;
  for (int i = 0; i < ITEMS; i++) {
    struct item *item = &items[i];
    if (item->due == 0) continue;
    if (first == NULL || item->due < first->due ||
        (item->due == first->due && item->turn < first->turn))
      first = item;
  }
  return first;
}

static void on_fire(struct timeout *timeout);

static void add(struct item *item, uint64_t due) {
  item->timeout.fire = on_fire;
  item->due = due > wheel.now ? due : wheel.now + 1;
  item->turn = ++turns;
  wheel_add(&wheel, &item->timeout, due);
}

static void drop(struct item *item) {
  item->due = 0;
  wheel_remove(&item->timeout);
  wheel_remove(&item->timeout); /* idempotent */
}

/* Near ones, on the edges of levels, far ones, beyond the last level, past. */
static uint64_t some_time(void) {
  switch (below(8)) {
    case 0: return wheel.now + below(4);
    case 1: return wheel.now + below(256);
    case 2: return wheel.now + 250 + below(12);
    case 3: return wheel.now + 65530 + below(12);
    case 4: return wheel.now + below(1 << 20);
    case 5: return wheel.now + below(UINT64_C(1) << 34);
    case 6: return wheel.now - below(1000);
    default: return (wheel.now | 255) + below(3);
  }
}

static void change_some(void) {
  struct item *item = &items[below(ITEMS)];
  if (item->due != 0)
    drop(item);
  else
    add(item, some_time());
}

/* Each that fires must be the one that the model would choose. */
static void on_fire(struct timeout *timeout) {
  struct item *item = (struct item *)timeout;
  assert(item == earliest());
  assert(item->due <= wheel.now);
  assert(!wheel_has(timeout));
  item->due = 0;
  fired[fired_count++] = item;
  if (is_wild && below(4) == 0) change_some();
}

static void check_next(void) {
  uint64_t ticks;
  bool some = wheel_next(&wheel, &ticks);
  const struct item *first = earliest();
  uint64_t due;
  assert(wheel_first(&wheel, &due) == (first != NULL));
  assert(first == NULL || due == first->due);
  if (first == NULL) return; /* it may stop for those that were removed */
  assert(some);
  assert(first->due <= wheel.now ? ticks == 0
                                 : ticks <= first->due - wheel.now);
}

static void advance(uint64_t now, int limit) {
  fired_count = 0;
  bool more = wheel_advance(&wheel, now, limit);
  const struct item *first = earliest();
  assert(fired_count <= limit);
  assert(more == (first != NULL && first->due <= now));
  if (more) assert(fired_count == limit);
  if (!more) assert(wheel.now >= now);
}

/* ---- the tests ----------------------------------------------------------- */

static void begin(uint64_t now, uint64_t seed) {
  wheel_open(&wheel, 0);
  memset(items, 0, sizeof items);
  wheel.now = now;
  random_state = seed;
  is_wild = false;
}

static void test_random(uint64_t now, uint64_t seed) {
  begin(now, seed);
  is_wild = seed % 2 == 0;
  for (int step = 0; step < STEPS; step++) {
    uint64_t ticks;
    for (uint64_t n = below(6); n > 0; n--) change_some();
    check_next();
    switch (below(4)) {
      case 0: advance(wheel.now + below(300), ITEMS * 2); break;
      case 1: advance(wheel.now + below(70000), (int)below(5)); break;
      case 2: advance(wheel.now + below(3), 1 + (int)below(3)); break;
      default:
        if (wheel_next(&wheel, &ticks)) advance(wheel.now + ticks, ITEMS * 2);
    }
    if (step % 1000 == 999) advance(wheel.now + (UINT64_C(1) << 33), ITEMS * 2);
  }
  is_wild = false;
  advance(wheel.now + (UINT64_C(1) << 36), ITEMS * 2);
  assert(earliest() == NULL);
}

/* Whatever else lies between: those of one tick fire as they were added. */
static void test_equal_times(void) {
  for (uint64_t distance = 1; distance < 1 << 26; distance *= 3) {
    begin(1000003 * distance, 1);
    uint64_t due = wheel.now + distance;
    for (int i = 0; i < 50; i++) {
      add(&items[i], due);
      advance(wheel.now + distance / 100, 0); /* so levels differ */
    }
    assert(wheel.now < due);
    advance(due, 100);
    assert(fired_count == 50);
    for (int i = 0; i < 50; i++) assert(fired[i] == &items[i]);
  }
}

static void test_limit(void) {
  begin(7, 1);
  for (int i = 0; i < 100; i++) add(&items[i], 10 + (uint64_t)i / 30);
  for (int i = 0; i < 10; i++) {
    advance(1000, 10);
    assert(fired_count == 10);
    assert(fired[0] == &items[i * 10]);
  }
  advance(1000, 10);
  assert(fired_count == 0);
}

/* Following wheel_next, the first is reached in few steps, however far. */
static void test_stops(void) {
  for (int shift = 0; shift < 40; shift++) {
    uint64_t ticks;
    begin(12345, 1);
    add(&items[0], wheel.now + (UINT64_C(1) << shift));
    fired_count = 0;
    int stops = 0;
    while (fired_count == 0) {
      bool some = wheel_next(&wheel, &ticks);
      assert(some && ticks > 0);
      wheel_advance(&wheel, wheel.now + ticks, 1);
      assert(++stops < 600);
    }
    assert(!wheel_next(&wheel, &ticks));
  }
}

static void test_empty(void) {
  uint64_t ticks;
  begin(0, 1);
  assert(!wheel_next(&wheel, &ticks));
  advance(UINT64_C(1) << 50, 1);
  assert(wheel.now == UINT64_C(1) << 50);
  struct timeout never = {.data = NULL};
  wheel_remove(&never);
}

int main(void) {
  static const uint64_t starts[] = {
    0, 255, 65535, 1 << 20, UINT32_MAX - 5, UINT64_C(1) << 40,
  };
  test_empty();
  test_equal_times();
  test_limit();
  test_stops();
  for (uint64_t seed = 1; seed <= 6; seed++)
    test_random(starts[seed - 1], seed * 7777777);
  puts("wheel: ok");
  return 0;
}
