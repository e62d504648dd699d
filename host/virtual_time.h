/* virtual_time.h - time that stands still, and jumps: for specs.
 *
 * Loop time and the wall clock stand while a task runs or is ready, and while
 * real work is in flight. When all tasks wait and nothing is, time jumps to the
 * next timeout: exactly, to the millisecond, whatever it takes in real time.
 *
 * In flight are: requests in libuv's thread pool (files, names, databases);
 * what the poller has to tell (bytes that have arrived, connections, closes),
 * asked until it has been quiet several times in a row; and for a moment what
 * was sent, as the system may be slow to carry it to a socket of our own. Not
 * in flight: what waits for a peer. Whether somebody outside is about to send
 * or to accept, nobody can know: a read with a time limit, with nothing to
 * read, is at its limit at once. Where no timeout keeps the loop alive there is
 * nothing to jump to, and the loop waits for the world.
 *
 * When it ends, loop time goes on from where it stands, so that no timeout that
 * was set is early or lost; the wall clock is the real one again. */
#ifndef HOST_VIRTUAL_TIME_H
#define HOST_VIRTUAL_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "host/origin.h"

struct host;
struct task;

struct moment { /* somebody waits until all is done that is due by then */
  struct task *waiter; /* first member: so task->parked leads to all of it */
  struct moment *next;
  uint64_t due;
};

struct virtual_time {
  uint64_t at, began;     /* loop time, ms */
  double wall;            /* of the moment it began: seconds since 1970 */
  struct moment *moments; /* the earliest first */
  struct origin origin;   /* the line that began it */
};

/* False: not enough memory. No other one may be in force. */
bool virtual_time_begin(struct host *host, double wall);
void virtual_time_end(struct host *host); /* idempotent */
/* In place of uv_run, for the loop: returns when there is something to run, or
 * time has jumped. `more`: it is known that there is. */
void virtual_time_poll(struct host *host, bool more);

/* Wakes moment->waiter once time is `due`, all that is due by then has fired,
 * and all tasks wait that it has woken. */
void virtual_time_add(struct host *host, struct moment *moment, uint64_t due);
void virtual_time_remove(struct host *host, struct moment *moment);

#endif
