/* option.h - the end of an argument list: [options] [callback]. */
#ifndef HOST_OPTION_H
#define HOST_OPTION_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* Brings the stack to `fixed` arguments, a table of options or nil, and a
 * callback or nil. Raises for what is neither, and for unknown options;
 * `names` ends with NULL. */
void option_arguments(lua_State *L, int fixed, const char *const names[]);

/* Options alone: a table with these names, or nil or nothing. */
void option_check(lua_State *L, int index, const char *const names[]);

/* Rounded up; but less than a microsecond over is an error of rounding itself:
 * a time that was computed is exact where time stands still. */
int64_t milliseconds(lua_Number seconds);

/* A time in seconds, as milliseconds; -1 where it is not given. */
int64_t option_ms(lua_State *L, int index, const char *name);

/* An integer from `least` to `most`; `other` where it is not given. */
lua_Integer option_integer(lua_State *L, int index, const char *name,
                           lua_Integer least, lua_Integer most,
                           lua_Integer other);
/* Raises for what is neither true, false nor nil, which is false. */
bool option_flag(lua_State *L, int index, const char *name);

/* An argument in seconds; at most 1e9, so that no clock overflows. */
lua_Number check_seconds(lua_State *L, int index);

/* A string, or a list of strings, which becomes one: it may hold thousands of
 * small ones. */
void check_strings(lua_State *L, int index);

#endif
