/* watch.c - fs.watch: told of changes. */
#include "modules/fs/fs.h"

void fs_open_watch(lua_State *L) {
  (void)L;
}
