/* queue.c - first come, first served, however pushes and pops are mixed. */
#include "host/queue.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "host/task.h"

enum { TASKS = 64 };

static struct task tasks[TASKS];

static void test_order(void) {
  struct queue queue = {NULL, NULL};
  assert(queue_is_empty(&queue));
  assert(queue_pop(&queue) == NULL);
  for (int i = 0; i < TASKS; i++) queue_push(&queue, &tasks[i]);
  for (int i = 0; i < TASKS; i++) {
    assert(!queue_is_empty(&queue));
    assert(queue_pop(&queue) == &tasks[i]);
    assert(tasks[i].next == NULL);
  }
  assert(queue_is_empty(&queue));
  assert(queue_pop(&queue) == NULL);
}

/* One that was taken out may come back at once. */
static void test_mixed(void) {
  struct queue queue = {NULL, NULL};
  int in = 0, out = 0;
  for (int round = 0; round < 1000; round++) {
    for (int i = 0; i < round % 7 && in - out < TASKS; i++)
      queue_push(&queue, &tasks[in++ % TASKS]);
    for (int i = 0; i < round % 5 && out < in; i++)
      assert(queue_pop(&queue) == &tasks[out++ % TASKS]);
    assert(queue_is_empty(&queue) == (in == out));
  }
}

/* The loop takes all of it: what is pushed then begins a new one. */
static void test_batch(void) {
  struct queue queue = {NULL, NULL};
  queue_push(&queue, &tasks[0]);
  queue_push(&queue, &tasks[1]);
  struct queue batch = queue;
  queue = (struct queue){NULL, NULL};
  while (!queue_is_empty(&batch)) queue_push(&queue, queue_pop(&batch));
  assert(queue_pop(&queue) == &tasks[0]);
  assert(queue_pop(&queue) == &tasks[1]);
  assert(queue_is_empty(&queue));
}

int main(void) {
  test_order();
  memset(tasks, 0, sizeof tasks);
  test_mixed();
  memset(tasks, 0, sizeof tasks);
  test_batch();
  puts("queue: ok");
  return 0;
}
