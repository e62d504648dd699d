/* flush.h - work that waits for the end of this turn's tasks.
 *
 * What one turn writes to a connection goes out in one system call: the
 * connection puts itself on host->flushes, and loop.c runs the list before it
 * polls. Intrusive, so adding never allocates. */
#ifndef HOST_FLUSH_H
#define HOST_FLUSH_H

#include <stdbool.h>

struct host;

struct flush {
  struct flush *next, **link; /* link == NULL: not on the list */
  void (*run)(struct flush *flush);
  void *data; /* for `run` */
};

void flush_add(struct host *host, struct flush *flush);
void flush_remove(struct flush *flush);
bool flush_is_added(const struct flush *flush);
void flush_all(struct host *host);

#endif
