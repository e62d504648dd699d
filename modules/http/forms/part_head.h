/* part_head.h - the header lines of one part: bytes in, slices out. Pure C. */
#ifndef HTTP_FORMS_PART_HEAD_H
#define HTTP_FORMS_PART_HEAD_H

#include <stdint.h>

#include "modules/http/forms/disposition.h"

enum multipart_fault {
  MULTIPART_FINE,
  MULTIPART_BAD,
  MULTIPART_TOO_LARGE,
  MULTIPART_NO_MEMORY
};

enum { PART_HEADERS_MOST = 64 };

struct part_header { /* where they lie in `bytes` */
  uint32_t name, name_size, value, value_size;
};

struct part_head { /* zero: there is none yet */
  char *bytes;
  uint32_t size, capacity;
  uint32_t line; /* where the one begins that is being read */
  unsigned count;
  struct part_header headers[PART_HEADERS_MOST];
  struct disposition disposition; /* once the head is whole */
  const char *why;                /* it was refused */
  enum multipart_fault fault;
};

struct part_limits {
  uint32_t header_size; /* bytes of all lines */
  uint32_t headers;     /* PART_HEADERS_MOST at most */
};

/* Takes bytes up to the empty line, and returns how many. `whole`: it was there. A
 * head that is refused has its fault. */
size_t part_head_take(struct part_head *head, const struct part_limits *limits,
                      const char *bytes, size_t size, bool *whole);
void part_head_clear(struct part_head *head); /* for the next part */
void part_head_free(struct part_head *head);

/* The value of the first header of that name (lower-case); bytes NULL: none. */
struct slice part_head_find(const struct part_head *head, const char *name);

#endif
