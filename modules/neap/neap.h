/* neap.h - the parts of module `neap` that stand in files of their own. */
#ifndef NEAP_NEAP_H
#define NEAP_NEAP_H

#include <lua.h>

int neap_exit(lua_State *L); /* also os.exit */

int scope_group(lua_State *L);
int scope_deadline(lua_State *L);
void scope_open(lua_State *L); /* the class of groups */

int neap_poll(lua_State *L);
void poll_open_class(lua_State *L);

#endif
