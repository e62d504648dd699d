/* bytes.c - appending, and moving to where there is more room. */
#include "modules/http/bytes.h"

#include <assert.h>

void bytes_open(struct bytes *bytes, lua_State *L, int slot, char *data,
                size_t capacity) {
  *bytes = (struct bytes){L, slot, data, BYTES_BEFORE, BYTES_BEFORE, capacity};
}

void bytes_grow(struct bytes *bytes, size_t size) {
  size_t capacity = 2 * (bytes->end + size);
  char *data = lua_newuserdatauv(bytes->L, capacity, 0);
  memcpy(data, bytes->data, bytes->end);
  lua_replace(bytes->L, bytes->slot);
  bytes->data = data;
  bytes->capacity = capacity;
}

void bytes_put_before(struct bytes *bytes, const char *data, size_t size) {
  assert(size <= bytes->begin);
  bytes->begin -= size;
  memcpy(bytes->data + bytes->begin, data, size);
}

static void add_digits(struct bytes *bytes, uint64_t number, unsigned base) {
  char digits[20];
  size_t start = sizeof digits;
  do {
    digits[--start] = "0123456789abcdef"[number % base];
    number /= base;
  } while (number != 0);
  bytes_add(bytes, digits + start, sizeof digits - start);
}

void bytes_add_number(struct bytes *bytes, uint64_t number) {
  add_digits(bytes, number, 10);
}

void bytes_add_hex(struct bytes *bytes, uint64_t number) {
  add_digits(bytes, number, 16);
}
