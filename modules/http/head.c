/* head.c - see head.h. A request line and ten headers are one copy here, and
 * some numbers. */
#include "modules/http/head.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

struct head *head_new(unsigned lines) {
  unsigned room = HEAD_ROOM(lines);
  struct head *head = malloc(sizeof *head + room * sizeof head->pieces[0]);
  if (head == NULL) return NULL;
  head->below = NULL;
  head->data = NULL;
  head->capacity = 0;
  head->room = room;
  head_clear(head);
  return head;
}

void head_free(struct head *head) {
  while (head != NULL) {
    struct head *below = head->below;
    free(head->data);
    free(head);
    head = below;
  }
}

/* ---- a stack of those that nobody needs: the last one used is the warmest --- */

enum { SPARE_MOST = 64, SPARE_SIZE = 65536 /* of the data of each */ };

struct head *head_take(struct head **spare, unsigned lines) {
  struct head *head = *spare;
  if (head == NULL) return head_new(lines);
  *spare = head->below;
  head->below = NULL;
  if (head->room < HEAD_ROOM(lines)) {
    head_free(head);
    return head_new(lines);
  }
  head_clear(head);
  return head;
}

void head_give_back(struct head *head, struct head **spare) {
  if (head == NULL) return;
  unsigned depth = *spare != NULL ? (*spare)->depth : 0;
  if (depth == SPARE_MOST || head->capacity > SPARE_SIZE) {
    head_free(head);
    return;
  }
  head->below = *spare;
  head->depth = depth + 1;
  *spare = head;
}

void head_clear(struct head *head) {
  head->size = 0;
  head->method = head->minor = 0;
  head->count = head->trailers = 0;
  head->begin = head->read = head->next = 0;
}

static bool grow(struct head *head, size_t size) {
  size_t capacity = 2 * (head->size + size) + 256;
  char *data = realloc(head->data, capacity);
  if (data == NULL) return false;
  head->data = data;
  head->capacity = capacity;
  return true;
}

bool head_append(struct head *head, const char *bytes, size_t size) {
  if (head->capacity - head->size < size && !grow(head, size)) return false;
  memcpy(head->data + head->size, bytes, size);
  head->size += size;
  return true;
}

const char *head_method(const struct head *head) {
  return llhttp_method_name((llhttp_method_t)head->method);
}

static unsigned char lower(char c) {
  return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool head_alike(const char *one, const char *other, size_t size) {
  size_t same = 0;
  while (same < size && lower(one[same]) == lower(other[same])) same++;
  return same == size;
}

static const char *find(const struct head *head, const char *name, size_t size,
                        unsigned *from, unsigned end, size_t *value_size) {
  for (unsigned i = *from; i + 1 < end; i += 2) {
    if (head->pieces[i].size != size) continue;
    if (!head_alike(head->data + head->pieces[i].at, name, size)) continue;
    *from = i + 2;
    return head_piece(head, i + 1, value_size);
  }
  *from = end;
  return NULL;
}

const char *head_find(const struct head *head, const char *name, size_t size,
                      unsigned *from, size_t *value_size) {
  if (*from == 0) *from = 1;
  return find(head, name, size, from, head->trailers, value_size);
}

const char *head_find_trailer(const struct head *head, const char *name,
                              size_t size, unsigned *from, size_t *value_size) {
  if (*from == 0) *from = head->trailers;
  return find(head, name, size, from, head->count, value_size);
}
