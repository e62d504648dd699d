/* bytes.c - memory that is doubled as it fills. The caller sees to the size; an
 * item is a header, then its text. */
#include "modules/fs/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1024 };

struct header {
  int number;
  size_t size;
};

bool bytes_reserve(struct bytes *bytes, size_t room) {
  if (room <= bytes->room) return true;
  size_t more = bytes->room == 0 ? FIRST_ROOM : bytes->room;
  while (more < room) more *= 2;
  char *moved = realloc(bytes->at, more);
  if (moved == NULL) return false;
  bytes->at = moved;
  bytes->room = more;
  return true;
}

void bytes_free(struct bytes *bytes) {
  free(bytes->at);
  *bytes = (struct bytes){0};
}

bool bytes_add_item(struct bytes *bytes, const struct item *item) {
  struct header header = {item->number, item->size};
  size_t end = bytes->size + sizeof header;
  if (!bytes_reserve(bytes, end + item->size)) return false;
  memcpy(bytes->at + bytes->size, &header, sizeof header);
  memcpy(bytes->at + end, item->text, item->size);
  bytes->size = end + item->size;
  return true;
}

size_t bytes_item(const struct bytes *bytes, size_t at, struct item *item) {
  struct header header;
  memcpy(&header, bytes->at + at, sizeof header);
  at += sizeof header;
  *item = (struct item){bytes->at + at, header.size, header.number};
  return at + header.size;
}
