/* queue.c - the FIFO of ready tasks: linked through the tasks themselves. */
#include "host/queue.h"

#include <assert.h>
#include <stddef.h>

#include "host/task.h"

bool queue_is_empty(const struct queue *queue) {
  return queue->first == NULL;
}

void queue_push(struct queue *queue, struct task *task) {
  assert(task->next == NULL && queue->last != task);
  if (queue->last == NULL)
    queue->first = task;
  else
    queue->last->next = task;
  queue->last = task;
}

struct task *queue_pop(struct queue *queue) {
  struct task *task = queue->first;
  if (task == NULL) return NULL;
  queue->first = task->next;
  if (queue->first == NULL) queue->last = NULL;
  task->next = NULL;
  return task;
}
