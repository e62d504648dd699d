/* unpacking.h - a body that comes packed (Content-Encoding), unpacked while it is
 * read: piece by piece, and no piece before it is asked for. */
#ifndef HTTP_UNPACKING_H
#define HTTP_UNPACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/codec/feed.h"
#include "host/wheel.h"

struct unpacking {
  struct feed feed;     /* its output is the piece that lies ready; its codec is
                           gone when all has come out */
  struct timeout again; /* it has given way: there is more to unpack, now */
  uint64_t given;       /* bytes that have come out of it so far */
  enum coding coding;
  bool holds; /* more may come out without another byte */
  bool ended; /* all has come out */
};

/* NULL without memory. */
struct unpacking *unpacking_new(enum coding coding);
/* Unpacks some of this, up to a piece; `last`: nothing follows. Returns how many
 * bytes were taken. In *status is 0, or one of libuv's errors (UV_EMSGSIZE: in
 * all it is more than the limit). */
size_t unpacking_take(struct unpacking *unpacking, const char *bytes,
                      size_t size, bool last, uint64_t limit, int *status);
void unpacking_clear(struct unpacking *unpacking); /* the piece was used */
const char *unpacking_why(const struct unpacking *unpacking); /* or NULL */
void unpacking_free(struct unpacking *unpacking);             /* or NULL */

#endif
