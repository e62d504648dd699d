/* output.c - the text of a document moves to twice the room when it is full. */
#include "modules/json/output.h"

#include <lauxlib.h>
#include <stdint.h>

void output_grow(struct output *output, size_t more) {
  lua_State *L = output->L;
  if (more > SIZE_MAX / 4 - output->size)
    luaL_error(L, "the text is too long"); /* no machine has it */
  size_t capacity = 2 * (output->size + more);
  luaL_checkstack(L, 1, NULL);
  char *data = lua_newuserdatauv(L, capacity, 0);
  memcpy(data, output->data, output->size);
  lua_replace(L, output->box);
  output->data = data;
  output->capacity = capacity;
}
