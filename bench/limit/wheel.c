/* wheel - the limit for timers with a wheel instead of a heap: wheel COUNT.
 *
 * 1,024 slots of 1 ms (none here waits longer), one libuv timer that turns it.
 * A timer is due no earlier than it should be. */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { SLOTS = 1024 };

struct timer {
  struct timer *next, **link; /* linked both ways: could be cancelled */
  void (*fire)(struct timer *timer);
};

static struct timer *slots[SLOTS];
static uint64_t turned; /* the last ms whose slot has been emptied */
static long count, fired;

static void on_due(struct timer *timer) {
  (void)timer;
  if (++fired == count) printf("%ld\n", fired);
}

static void add(struct timer *timer, uint64_t due) {
  if (due <= turned) due = turned + 1;
  struct timer **slot = &slots[due % SLOTS];
  timer->next = *slot;
  timer->link = slot;
  if (timer->next != NULL) timer->next->link = &timer->next;
  *slot = timer;
}

static void empty(struct timer **slot) {
  while (*slot != NULL) {
    struct timer *timer = *slot;
    *slot = timer->next;
    if (timer->next != NULL) timer->next->link = slot;
    timer->link = NULL;
    timer->fire(timer);
  }
}

static void on_tick(uv_timer_t *tick) {
  uint64_t now = uv_now(tick->loop);
  while (turned < now) empty(&slots[++turned % SLOTS]);
  if (fired == count) uv_timer_stop(tick);
}

int main(int argc, char **argv) {
  uv_loop_t *loop = uv_default_loop();
  uv_timer_t tick;
  count = argc > 1 ? atol(argv[1]) : 1000000;
  struct timer *timers = calloc((size_t)count, sizeof *timers);
  if (timers == NULL) return 1;
  turned = uv_now(loop);
  for (long i = 0; i < count; i++) {
    timers[i].fire = on_due;
    add(&timers[i], uv_now(loop) + (uint64_t)(i % 1000));
  }
  uv_timer_init(loop, &tick);
  uv_timer_start(&tick, on_tick, 1, 1);
  return uv_run(loop, UV_RUN_DEFAULT);
}
