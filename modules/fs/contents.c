/* contents.c - fs.read, fs.write, fs.open: what is in files. */
#include "modules/fs/fs.h"

void fs_open_contents(lua_State *L) {
  (void)L;
}
