/* head.h - the head of a request: its bytes as they came, and marks in them.
 *
 * `data` holds the lines; piece i is data[pieces[i].at ...]: the target,
 * then name, value, name, value ..., without the white space around values.
 * Trailers are pieces too, from `trailers` on. Offsets, not pointers: the
 * bytes move when more come. One block, used again for other requests; a
 * connection has one from the first byte of a request to its end, and none
 * between requests. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct head_piece {
  uint32_t at, size;
};

/* The target, and name and value of as many headers, and of trailers. */
#define HEAD_ROOM(lines) (1 + 4 * (lines))

struct head {
  struct head *below; /* in a stack of spare ones */
  unsigned depth;     /* of that stack, with it */
  char *data;
  size_t size, capacity;
  uint8_t method;    /* llhttp's number */
  uint8_t minor;     /* of the version: 0 or 1 */
  unsigned count;    /* of pieces: 1 + 2 * headers (+ 2 * trailers) */
  unsigned trailers; /* the first piece of trailers, or == count */
  /* For intake.c: */
  unsigned room;  /* of pieces */
  uint32_t begin; /* of this section: 0, or where the trailers begin */
  uint32_t read;  /* the bytes before it are lines that have been read */
  uint32_t next;  /* where the next line must begin */
  struct head_piece pieces[];
};

/* NULL: no memory. `lines`: how many headers, and how many trailers. */
struct head *head_new(unsigned lines);
void head_free(struct head *head); /* and those below it; NULL: no-op */
/* From the stack *spare, or a new one; NULL: no memory. */
struct head *head_take(struct head **spare, unsigned lines);
/* To that stack; where many are there already it is freed. NULL: no-op. */
void head_give_back(struct head *head, struct head **spare);
void head_clear(struct head *head);
bool head_append(struct head *head, const char *bytes, size_t size);

/* "GET" */
const char *head_method(const struct head *head);

static inline const char *head_piece(const struct head *head, unsigned i,
                                     size_t *size) {
  *size = head->pieces[i].size;
  return head->data + head->pieces[i].at;
}

/* Are these the same but for the case of letters? */
bool head_alike(const char *one, const char *other, size_t size);

/* The value of the next header with this name (in any case), or NULL. *from
 * is 0 for the first, and is moved on. */
const char *head_find(const struct head *head, const char *name, size_t size,
                      unsigned *from, size_t *value_size);
/* The same among the trailers. */
const char *head_find_trailer(const struct head *head, const char *name,
                              size_t size, unsigned *from, size_t *value_size);

/* As head_alike, and faster: `lower` has no capitals, only
 * letters, digits, and what a token may have; `text` no control byte. */
static inline bool head_same(const char *text, const char *lower, size_t size) {
  unsigned difference = 0;
  for (size_t i = 0; i < size; i++)
    difference |= (unsigned char)((text[i] | 0x20) ^ lower[i]);
  return difference == 0;
}

#endif
