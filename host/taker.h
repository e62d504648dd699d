/* taker.h - who takes a signal, in place of what the system or the host would
 * do with it.
 *
 * While a signal has takers each of them is told of it, on the loop; when the
 * last one has gone it has the meaning again that it had before the first. One
 * that came in between is given to that. Signals that come before the loop has
 * told of the first are one, as everywhere. */
#ifndef HOST_TAKER_H
#define HOST_TAKER_H

#include <stdbool.h>

struct taker {
  struct taker *next, **link; /* link NULL: it takes nothing now */
  int number;
  void (*take)(struct taker *taker); /* on the loop: no Lua */
  void *data;
};

void taker_begin(struct taker *taker, int number);
void taker_end(struct taker *taker); /* idempotent */
/* Why nobody can take it, or NULL. */
const char *taker_obstacle(int number);
/* A task waits for a signal: the program goes on for that, or no more. */
void taker_keep_alive(bool more);

/* For signals.c. In a signal handler: true if it has takers. */
bool taker_came(int number);
void taker_tell(void); /* on the loop */
void taker_end_all(void);

#endif
