/* percent.h - RFC 3986: what a percent-encoded text means, and which path of the
 * file system a request may name. Pure functions: no Lua, no allocation. */
#ifndef HTTP_VALUES_PERCENT_H
#define HTTP_VALUES_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

/* Writes what the text means to `to`, which has room for `size` bytes and may be
 * the text itself; returns how many there are. A "%" without two digits stands
 * for itself. `plus`: "+" is a space, as in forms and queries. */
size_t percent_decode(char *to, const char *text, size_t size, bool plus);
/* Has each "%" two digits behind it? */
bool percent_is_valid(const char *text, size_t size);
/* Writes to `to`, which has room for 3 * size bytes: all but the unreserved
 * letters, digits and "-._~" is encoded, "/" too. */
size_t percent_encode(char *to, const char *text, size_t size);

/* ---- the path of a request, for the file system -------------------------- */

enum path_fault {
  PATH_OK,
  PATH_MALFORMED, /* no "/" at its beginning, "%" without digits, or a NUL */
  PATH_OUTSIDE    /* what no file can be named by: "..", ".", "%2f", a "\" */
};

struct path_name {
  size_t size;
  bool is_directory; /* it ended with "/"; so does the root */
  bool is_hidden;    /* a name in it begins with "." */
};

/* "/a//b%20c/" becomes "a/b c": relative, names separated by one "/", none of
 * them empty, "." or ".."; the root is "". Nor is "." or ".." what lies between
 * two backslashes: the name means nothing else elsewhere. There must be room
 * for `size` bytes, none of which is a NUL. */
enum path_fault path_normalize(char *to, const char *text, size_t size,
                               struct path_name *name);

#endif
