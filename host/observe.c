/* observe.c - tells whoever watches; one branch when nobody does. */
#include "host/observe.h"

#include <uv.h>

#include "host/host.h"
#include "host/task.h"

void observe_add(struct host *host, struct observer *observer) {
  observer->next = host->observers;
  host->observers = observer;
}

void observe_remove(struct host *host, struct observer *observer) {
  struct observer **link = &host->observers;
  while (*link != NULL && *link != observer) link = &(*link)->next;
  if (*link != NULL) *link = observer->next;
}

void observe_phase(struct host *host, enum observe_phase phase) {
  if (host->observers == NULL) return;
  uint64_t ns = uv_hrtime();
  for (struct observer *o = host->observers; o != NULL; o = o->next)
    if (o->on_phase != NULL) o->on_phase(o, phase, ns);
}

void observe_task(const struct task *task, enum observe_event event) {
  if (task->host->observers == NULL) return;
  uint64_t ns = uv_hrtime();
  for (struct observer *o = task->host->observers; o != NULL; o = o->next)
    if (o->on_task != NULL) o->on_task(o, task, event, ns);
}
