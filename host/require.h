/* require.h - replaces `require` in this realm by one that may wait. */
#ifndef HOST_REQUIRE_H
#define HOST_REQUIRE_H

#include <lua.h>

void require_open(lua_State *L);

#endif
