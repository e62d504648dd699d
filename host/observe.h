/* observe.h - watch the loop's phases and the life of tasks.
 * Tracing and metrics are observers; the core knows neither. */
#ifndef HOST_OBSERVE_H
#define HOST_OBSERVE_H

#include <stdint.h>

struct host;
struct task;

enum observe_phase { OBSERVE_POLL, OBSERVE_DISPATCH };

enum observe_event {
  OBSERVE_SPAWNED,
  OBSERVE_WOKEN,
  OBSERVE_RESUMED,
  OBSERVE_SUSPENDED,
  OBSERVE_RETURNED,
  OBSERVE_FAILED
};

struct observer {
  void (*on_phase)(struct observer *self, enum observe_phase phase,
                   uint64_t ns); /* or NULL */
  void (*on_task)(struct observer *self, const struct task *task,
                  enum observe_event event, uint64_t ns); /* or NULL */
  struct observer *next;
};

void observe_add(struct host *host, struct observer *observer);
void observe_remove(struct host *host, struct observer *observer);
void observe_phase(struct host *host, enum observe_phase phase);
void observe_task(const struct task *task, enum observe_event event);

#endif
