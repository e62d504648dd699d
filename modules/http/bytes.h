/* bytes.h - what is being put together, to be sent.
 *
 * It begins in memory of its owner, on the C stack. Where that is not enough it
 * goes on in a userdata on the Lua stack: so an error in the middle of it, or a
 * task that is cancelled, frees it without further ado. Some room is left
 * before the first byte, for what is only known at last. */
#ifndef HTTP_BYTES_H
#define HTTP_BYTES_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BYTES_BEFORE = 160 };

struct bytes {
  lua_State *L;
  int slot; /* an index of the Lua stack that is ours to use */
  char *data;
  size_t begin, end, capacity; /* they are data[begin .. end - 1] */
};

/* `slot` must hold a value that is no longer needed. */
void bytes_open(struct bytes *bytes, lua_State *L, int slot, char *data,
                size_t capacity);
void bytes_grow(struct bytes *bytes, size_t size);
static inline void bytes_add(struct bytes *bytes, const char *data,
                             size_t size) {
  if (bytes->capacity - bytes->end < size) bytes_grow(bytes, size);
  memcpy(bytes->data + bytes->end, data, size);
  bytes->end += size;
}
void bytes_add_number(struct bytes *bytes, uint64_t number);
void bytes_add_hex(struct bytes *bytes, uint64_t number);
/* At most BYTES_BEFORE in all. */
void bytes_put_before(struct bytes *bytes, const char *data, size_t size);

#define bytes_add_literal(bytes, text)                                         \
  bytes_add((bytes), "" text, sizeof(text) - 1)

#endif
