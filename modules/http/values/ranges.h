/* ranges.h - RFC 9110, 14: which bytes of a representation a client asks for.
 * Pure functions: no Lua, no allocation. */
#ifndef HTTP_VALUES_RANGES_H
#define HTTP_VALUES_RANGES_H

#include <stddef.h>
#include <stdint.h>

/* In one answer; who asks for more gets all of it. */
enum { RANGES_MOST = 32 };

struct range { /* of bytes, both of them included */
  uint64_t first, last;
};

enum ranges_result {
  RANGES_NONE,         /* to be ignored: malformed, of another unit, too many */
  RANGES_SOME,         /* 206 */
  RANGES_UNSATISFIABLE /* 416 */
};

struct ranges {
  int count; /* of RANGES_SOME: 1 at least */
  struct range list[RANGES_MOST];
};

/* The value of a Range header, for so many bytes. Those that overlap, or nearly
 * meet, become one, where the first of them was asked for: so they never have
 * more bytes than there are. */
enum ranges_result ranges_parse(const char *text, size_t size, uint64_t length,
                                struct ranges *ranges);

#endif
