/* part_head.c - lines end with CR LF, are not folded, and have no control byte:
 * what one reader takes for two lines another one must not take for one. A line
 * is looked at when it is whole, so it does not matter how it comes. */
#include "modules/http/forms/part_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void refuse(struct part_head *head, enum multipart_fault fault,
                   const char *why) {
  head->fault = fault;
  head->why = why;
}

void part_head_clear(struct part_head *head) {
  head->size = head->line = 0;
  head->count = 0;
}

void part_head_free(struct part_head *head) {
  free(head->bytes);
  head->bytes = NULL;
  head->capacity = 0;
  part_head_clear(head);
}

/* ---- a line -------------------------------------------------------------- */

static bool is_token(const char *bytes, size_t size) {
  static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (size_t i = 0; i < size; i++)
    if (bytes[i] == '\0' || strchr(allowed, bytes[i]) == NULL) return false;
  return size > 0;
}

static bool has_control(const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if ((c < ' ' && c != '\t') || c == 0x7f) return true;
  }
  return false;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* `size` without CR LF. */
static void add_header(struct part_head *head, const char *line, size_t size) {
  const char *colon = memchr(line, ':', size);
  if (colon == NULL || !is_token(line, (size_t)(colon - line))) {
    refuse(head, MULTIPART_BAD, "a header of a part that is none");
    return;
  }
  const char *value = colon + 1, *end = line + size;
  while (value < end && is_blank(*value)) value++;
  while (end > value && is_blank(end[-1])) end--;
  if (has_control(value, (size_t)(end - value))) {
    refuse(head, MULTIPART_BAD, "a control byte in a header of a part");
    return;
  }
  head->headers[head->count++] = (struct part_header){
    .name = head->line,
    .name_size = (uint32_t)(colon - line),
    .value = (uint32_t)(value - head->bytes),
    .value_size = (uint32_t)(end - value),
  };
}

/* True: it was the empty one. */
static bool read_line(struct part_head *head,
                      const struct part_limits *limits) {
  const char *line = head->bytes + head->line;
  size_t size = head->size - head->line;
  if (size < 2 || line[size - 2] != '\r') {
    refuse(head, MULTIPART_BAD, "a line of a part's head without CR");
    return false;
  }
  if (size == 2) return true;
  if (head->count >= limits->headers || head->count >= PART_HEADERS_MOST)
    refuse(head, MULTIPART_TOO_LARGE, "too many headers of a part");
  else
    add_header(head, line, size - 2);
  head->line = head->size;
  return false;
}

/* ---- all of them --------------------------------------------------------- */

static struct slice value_of(const struct part_head *head, unsigned index) {
  const struct part_header *header = &head->headers[index];
  return (struct slice){head->bytes + header->value, header->value_size};
}

static bool has_name(const struct part_head *head, unsigned index,
                     const char *name) {
  const struct part_header *header = &head->headers[index];
  return slice_is((struct slice){head->bytes + header->name, header->name_size},
                  name);
}

struct slice part_head_find(const struct part_head *head, const char *name) {
  for (unsigned i = 0; i < head->count; i++)
    if (has_name(head, i, name)) return value_of(head, i);
  return (struct slice){NULL, 0};
}

static void read_disposition(struct part_head *head) {
  unsigned found = 0, at = 0;
  for (unsigned i = 0; i < head->count; i++) {
    if (!has_name(head, i, "content-disposition")) continue;
    found++;
    at = i;
  }
  const char *why = "a part without a content-disposition";
  if (found > 1) why = "a part with two content-dispositions";
  if (found == 1)
    why = disposition_read(value_of(head, at), &head->disposition);
  if (why != NULL) refuse(head, MULTIPART_BAD, why);
}

static bool reserve(struct part_head *head, size_t more) {
  size_t needed = head->size + more;
  if (needed <= head->capacity) return true;
  size_t capacity = 2 * head->capacity > 256 ? 2 * head->capacity : 256;
  if (capacity < needed) capacity = needed;
  char *bytes = realloc(head->bytes, capacity);
  if (bytes == NULL) {
    refuse(head, MULTIPART_NO_MEMORY, "not enough memory");
    return false;
  }
  head->bytes = bytes;
  head->capacity = (uint32_t)capacity;
  return true;
}

size_t part_head_take(struct part_head *head, const struct part_limits *limits,
                      const char *bytes, size_t size, bool *whole) {
  size_t used = 0;
  *whole = false;
  while (used < size && !*whole && head->fault == MULTIPART_FINE) {
    const char *end = memchr(bytes + used, '\n', size - used);
    size_t step = end == NULL ? size - used : (size_t)(end + 1 - bytes) - used;
    if (step > limits->header_size - head->size) {
      refuse(head, MULTIPART_TOO_LARGE, "too many bytes of headers of a part");
      return used;
    }
    if (!reserve(head, step)) return used;
    memcpy(head->bytes + head->size, bytes + used, step);
    head->size += (uint32_t)step;
    used += step;
    if (end != NULL) *whole = read_line(head, limits);
  }
  if (*whole) read_disposition(head);
  return used;
}
