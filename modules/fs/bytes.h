/* bytes.h - bytes that grow, for what a thread collects: no Lua. */
#ifndef MODULES_FS_BYTES_H
#define MODULES_FS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes { /* zero: nothing yet */
  char *at;
  size_t size, room;
};

bool bytes_reserve(struct bytes *bytes, size_t room); /* in all */
void bytes_free(struct bytes *bytes);

/* A list of texts with a number each, one behind the other in `bytes`. */
struct item {
  const char *text;
  size_t size;
  int number;
};

bool bytes_add_item(struct bytes *bytes, const struct item *item);
/* The one at `at`, and where the next one is. */
size_t bytes_item(const struct bytes *bytes, size_t at, struct item *item);

#endif
