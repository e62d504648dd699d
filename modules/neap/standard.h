/* standard.h - neap.stdin, neap.stdout and neap.stderr. */
#ifndef NEAP_STANDARD_H
#define NEAP_STANDARD_H

#include <lua.h>

/* The module's table, on top, makes them when somebody asks for them. */
void standard_open(lua_State *L);

/* os.execute and io.popen of this realm write after what was printed. */
void standard_open_children(lua_State *L);

/* input.c */
int standard_push_input(lua_State *L);
/* output.c */
int standard_push_stdout(lua_State *L);
int standard_push_stderr(lua_State *L);
/* For lists of methods and fields: of what has such a descriptor. */
int standard_push_size(lua_State *L, int fd, const char *name);

#endif
