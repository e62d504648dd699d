/* luv.h - luv, another libuv binding for Lua, on our loop.
 *
 * Where luv is installed and uses the same libuv, its handles and requests are
 * on our loop beside our own, and what it calls back runs as a task: so it may
 * wait, and an error ends that task alone. Its handles have no owner: a reload
 * does not touch them, and they keep the program alive until it is asked to end. */
#ifndef HOST_LUV_H
#define HOST_LUV_H

#include <lua.h>

struct host;

/* The loader of a module in C lies on top, `path` is its file: where that is
 * luv, another loader replaces it. */
void luv_adapt(lua_State *L, const char *path);
/* The program is asked to end: luv's handles no longer keep it alive. */
void luv_drain(struct host *host);
/* Closes them, while the state is still there. */
void luv_close(struct host *host);

#endif
