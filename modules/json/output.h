/* output.h - text that grows: it begins in memory of the caller, and when that
 * is full goes on in a userdata of its stack. So nothing has to be freed,
 * however the caller ends, and a short text allocates nothing. */
#ifndef MODULES_JSON_OUTPUT_H
#define MODULES_JSON_OUTPUT_H

#include <lua.h>
#include <string.h>

struct output {
  lua_State *L;
  char *data;
  size_t size, capacity;
  int box; /* index in the stack that is kept free for the userdata */
};

void output_grow(struct output *output, size_t more);

/* Room for so many bytes behind the text; whoever fills it adds to the size. */
static inline char *output_room(struct output *output, size_t more) {
  if (output->capacity - output->size < more) output_grow(output, more);
  return output->data + output->size;
}

static inline void output_add(struct output *output, const char *text,
                              size_t size) {
  memcpy(output_room(output, size), text, size);
  output->size += size;
}

static inline void output_add_char(struct output *output, char byte) {
  *output_room(output, 1) = byte;
  output->size++;
}

#endif
