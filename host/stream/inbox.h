/* inbox.h - bytes that have arrived, and what can be read from them.
 *
 * A reader that waits is given the host's read buffer itself: the bytes are
 * lent, for this turn, and copied only if some are left. Otherwise they get
 * memory of their own; an empty inbox has none. Pure data: no Lua, no libuv. */
#ifndef HOST_STREAM_INBOX_H
#define HOST_STREAM_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inbox {
  char *bytes; /* the first that is unread */
  size_t size;
  char *buffer; /* the memory they lie in, NULL: none, or it is lent */
  size_t capacity;
  size_t scanned; /* there is no line break in the first so many */
};

/* Room for so many bytes behind those that are there, NULL without memory; of
 * these so many have been put there. */
char *inbox_room(struct inbox *inbox, size_t size);
void inbox_put(struct inbox *inbox, size_t size);
bool inbox_add(struct inbox *inbox, const char *bytes, size_t size);
void inbox_lend(struct inbox *inbox, char *bytes, size_t size);
bool inbox_keep(struct inbox *inbox); /* what is left of lent bytes */
void inbox_consume(struct inbox *inbox, size_t size);
void inbox_free(struct inbox *inbox);

/* ---- what a read asks for: the formats of io.read ------------------------ */

enum format_kind {
  FORMAT_SOME, /* whatever is there */
  FORMAT_LINE,
  FORMAT_LINE_KEPT, /* with its line break */
  FORMAT_COUNT,
  FORMAT_ALL,
  FORMAT_NUMBER
};

struct format {
  enum format_kind kind;
  uint32_t count;
};

enum { FORMATS_MOST = 4 };

struct want {
  int count;
  struct format formats[FORMATS_MOST];
  bool endless; /* a line or number may be as long as it likes */
};

struct span { /* where one result lies in the inbox */
  size_t start, size;
  bool found; /* false: there is none, the end comes before it */
};

struct result {
  int count; /* of spans: those after one that was not found are left out */
  struct span spans[FORMATS_MOST];
  size_t size; /* of what is used up */
};

enum scan { SCAN_DONE, SCAN_MORE, SCAN_TOO_LONG };

/* `ended`: no more bytes will come. A line or number may be so long, unless the
 * want is endless: */
enum { LINE_MOST = 1 << 20 };
enum scan inbox_scan(struct inbox *inbox, const struct want *want, bool ended,
                     struct result *result);

#endif
