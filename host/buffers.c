/* buffers.c - a stack of idle buffers: the last one used is the warmest. */
#include "host/buffers.h"

#include <stdlib.h>

char *buffers_take(struct buffers *buffers) {
  if (buffers->count > 0) return buffers->idle[--buffers->count];
  return malloc(BUFFER_SIZE);
}

void buffers_give(struct buffers *buffers, char *buffer) {
  if (buffer == NULL) return;
  if (buffers->count == BUFFERS_KEPT)
    free(buffer);
  else
    buffers->idle[buffers->count++] = buffer;
}

void buffers_free(struct buffers *buffers) {
  while (buffers->count > 0) free(buffers->idle[--buffers->count]);
}
