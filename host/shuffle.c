/* shuffle.c - a batch is taken apart, and each task put among those that came
 * before it: anywhere, or not before what it must come after. So every order
 * that keeps the promises can come up, and where there are none all are equally
 * likely. */
#include "host/shuffle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/task.h"

bool shuffle_begin(struct host *host, uint64_t seed) {
  assert(host->shuffle == NULL);
  struct shuffle *shuffle = calloc(1, sizeof *shuffle);
  if (shuffle == NULL) return false;
  shuffle->state = seed;
  host->shuffle = shuffle;
  return true;
}

void shuffle_end(struct host *host) {
  if (host->shuffle == NULL) return;
  free(host->shuffle->order);
  free(host->shuffle);
  host->shuffle = NULL;
}

void shuffle_before_timers(struct shuffle *shuffle, const struct queue *ready) {
  shuffle->before_timers = ready->last;
  shuffle->timers_fired = true;
}

static uint64_t next_random(struct shuffle *shuffle) { /* splitmix64 */
  uint64_t z = shuffle->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* From `least` to `most`. */
static size_t some_place(struct shuffle *shuffle, size_t least, size_t most) {
  if (least == most) return least;
  return least + (size_t)(next_random(shuffle) % (most - least + 1));
}

static bool make_room(struct shuffle *shuffle, size_t count) {
  if (count <= shuffle->room) return true;
  struct task **order = realloc(shuffle->order, 2 * count * sizeof *order);
  if (order == NULL) return false;
  shuffle->order = order;
  shuffle->room = 2 * count;
  return true;
}

/* The machine's own tasks come and go by its own needs: were they counted, the
 * same seed would not mean the same order. */
static bool is_of_machine(const struct task *task) {
  return task->work.owner->generation == task->host->root;
}

/* Puts a task among the `count` that are in order: not before `least`. */
static size_t put(struct shuffle *shuffle, struct task *task, size_t least,
                  size_t count) {
  size_t place = some_place(shuffle, least, count);
  struct task **slot = &shuffle->order[place];
  memmove(slot + 1, slot, (count - place) * sizeof *slot);
  *slot = task;
  return place;
}

/* Puts the batch into shuffle->order, but for the machine's, which go into
 * `rest`. Returns how many there are. */
static size_t put_in_order(struct shuffle *shuffle, struct queue *batch,
                           struct queue *rest) {
  size_t count = 0, least_for_timers = 0;
  bool of_timer = shuffle->timers_fired && shuffle->before_timers == NULL;
  while (!queue_is_empty(batch)) {
    struct task *task = queue_pop(batch);
    if (is_of_machine(task)) {
      queue_push(rest, task);
    } else {
      size_t least = of_timer ? least_for_timers : task->in_turn ? count : 0;
      size_t place = put(shuffle, task, least, count++);
      if (of_timer) least_for_timers = place + 1;
      task->in_turn = false;
    }
    if (shuffle->timers_fired && task == shuffle->before_timers)
      of_timer = true;
  }
  shuffle->timers_fired = false;
  return count;
}

void shuffle_batch(struct shuffle *shuffle, struct queue *batch) {
  size_t count = 0;
  struct queue rest = {NULL, NULL};
  for (struct task *task = batch->first; task != NULL; task = task->next)
    count++;
  if (count == 0 || !make_room(shuffle, count)) {
    shuffle->timers_fired = false;
    return;
  }
  count = put_in_order(shuffle, batch, &rest);
  for (size_t i = 0; i < count; i++) queue_push(batch, shuffle->order[i]);
  while (!queue_is_empty(&rest)) queue_push(batch, queue_pop(&rest));
}
