/* fs.c - module `neap.fs`: files, their names and their changes.
 *
 * Everything here is done in libuv's thread pool (host/job.h), or, where a file
 * may keep its reader waiting, by the poller: never on the loop. */
#include "modules/fs/fs.h"

#include "modules/modules.h"

int open_fs(lua_State *L) {
  lua_newtable(L);
  fs_open_contents(L);
  fs_open_names(L);
  fs_open_watch(L);
  return 1;
}
