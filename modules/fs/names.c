/* names.c - what can be done with the names of files. */
#include "modules/fs/fs.h"

void fs_open_names(lua_State *L) {
  (void)L;
}
