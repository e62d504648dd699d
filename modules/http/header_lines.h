/* header_lines.h - the header lines that a script gives, checked.
 *
 * What they cannot do is break the framing: a name is a token, a value has no
 * control byte in it, and the lines that say where a message ends are ours. */
#ifndef HTTP_HEADER_LINES_H
#define HTTP_HEADER_LINES_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct bytes;

struct header_lines { /* what is among them */
  bool type, date, close;
  int64_t length; /* that was announced; it has no line yet. -1: none was */
};

/* Adds those of the table at an index: a string, a number, or a list of them, for
 * each name. Raises for what cannot be sent, and names the handler. */
struct header_lines header_lines_add(lua_State *L, struct bytes *bytes,
                                     int index, int handler);
/* The same for trailers, where more is forbidden. */
void header_lines_add_trailers(lua_State *L, struct bytes *bytes, int index);

#endif
