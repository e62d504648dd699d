/* tidy.h - gives memory back after a rush.
 *
 * Lua collects garbage only while it allocates: when thousands of connections
 * have left and nobody comes, what they used would stay. So some time after
 * many tasks have ended, when little happens, a task lets the collector work,
 * in small steps between which everything else runs. */
#ifndef HOST_TIDY_H
#define HOST_TIDY_H

#include <stdbool.h>

#include "host/wheel.h"

struct host;

struct tidy {
  struct timeout timeout;
  unsigned ended; /* tasks since the last time */
  unsigned runs;  /* host->runs when the timeout was set */
  int cycles;     /* of the collector, done by the task that tidies */
  bool begun;
  bool generational; /* the collector's mode, to go back to */
  bool scheduled;    /* the timeout is set, or the task runs */
};

enum { TIDY_AFTER = 1000 }; /* tasks that have ended */

void tidy_schedule(struct host *host);

#endif
