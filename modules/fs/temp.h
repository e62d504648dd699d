/* temp.h - fs.tempfile and fs.tempdir: what goes with who has made it. */
#ifndef MODULES_FS_TEMP_H
#define MODULES_FS_TEMP_H

#include <lua.h>

int fs_tempdir(lua_State *L);  /* [options] [, callback] -> directory */
int fs_tempfile(lua_State *L); /* the same -> file */
void tempdir_open_class(lua_State *L);

/* ---- what the two share -------------------------------------------------- */

struct temp_place { /* where to make it; on the stack of who waits */
  const char *directory, *prefix;
};

/* Brings the stack to the two strings of the place, and a callback or nil. */
void temp_arguments(lua_State *L, struct temp_place *place);
/* In a thread: draws names until `make` gives no UV_EEXIST; the path, absolute
 * and from malloc, is in *path if that is no status. */
int temp_make(const struct temp_place *place, int (*make)(const char *path),
              char **path);

/* A copy of the place, in memory for it behind a job. */
size_t temp_place_size(const struct temp_place *place);
struct temp_place temp_place_copy(const struct temp_place *place, char *memory);

#endif
