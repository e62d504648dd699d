/* signal_names.h - "TERM" and "SIGTERM" are 15, in scripts and in messages. */
#ifndef HOST_SIGNAL_NAMES_H
#define HOST_SIGNAL_NAMES_H

#include <lua.h>

/* "TERM"; "SIG40" for one without a name: valid until the next call. */
const char *signal_name(int number);
/* -1: there is none. */
int signal_number(const char *name);
/* An argument that names one, or is its number; raises, and says which there
 * are. */
int signal_check(lua_State *L, int index);

#endif
