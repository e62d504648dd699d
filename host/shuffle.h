/* shuffle.h - lets the tasks that are ready run in a random order: for specs.
 *
 * The tasks of a batch are permuted before they run; the seed alone decides
 * how, so with the same batches the same seed gives the same order. Kept are
 * the orders that scripts are promised:
 *
 * - who gives way (a sleep of 0) runs after all that were ready before it;
 * - what timers start or wake that are due at the same millisecond keeps the
 *   order in which they were set;
 * - whatever is one after the other because the next is started only when the
 *   last has ended (the events of a connection), or because it happens when it
 *   is asked for (the bytes of a stream).
 *
 * The machine's own tasks run last. All else is luck: which of the tasks that
 * were started begins first, which of those that wait for the same thing goes
 * on first, which connection is served first.
 */
#ifndef HOST_SHUFFLE_H
#define HOST_SHUFFLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/origin.h"
#include "host/queue.h"

struct host;
struct task;

struct shuffle {
  uint64_t state; /* of the random numbers */
  struct task **order;
  size_t room;
  struct task
    *before_timers;     /* the last one that was ready before they fired */
  bool timers_fired;    /* since the last batch */
  struct origin origin; /* the line that began it */
};

/* False: not enough memory. No other one may be in force. */
bool shuffle_begin(struct host *host, uint64_t seed);
void shuffle_end(struct host *host); /* idempotent */

/* For the loop: what is put into `ready` until the next batch is of timers. */
void shuffle_before_timers(struct shuffle *shuffle, const struct queue *ready);
/* Without memory the batch stays as it is. */
void shuffle_batch(struct shuffle *shuffle, struct queue *batch);

#endif
