/* buffers.h - a few buffers of one size, to be used again and again.
 * Whoever gathers what to send borrows one until the end of the turn. */
#ifndef HOST_BUFFERS_H
#define HOST_BUFFERS_H

enum { BUFFER_SIZE = 8192, BUFFERS_KEPT = 64 };

struct buffers {
  char *idle[BUFFERS_KEPT];
  int count;
};

char *buffers_take(struct buffers *buffers); /* NULL without memory */
void buffers_give(struct buffers *buffers, char *buffer); /* or NULL */
void buffers_free(struct buffers *buffers);

#endif
