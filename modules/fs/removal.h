/* removal.h - removes a file, a directory, or a tree. In a thread: no Lua.
 *
 * Nothing is removed but what lies below the path: links are removed and never
 * followed, also if somebody puts one in the place of a directory meanwhile. */
#ifndef MODULES_FS_REMOVAL_H
#define MODULES_FS_REMOVAL_H

#include <stdbool.h>

#include "modules/fs/tree.h"

struct removal { /* zero, but for the first two */
  const char *path;
  bool recursive;
  struct tree tree;
  char *name;           /* the last part of the path, malloc: in */
  int around;           /* ... this directory; while there is a name */
  bool is_open;         /* it is a tree, and on its way */
  int status;           /* the first failure */
  char *failed;         /* what that was about, or NULL: the path; malloc */
  const char *why;      /* the text of it, or NULL: that of the status */
  size_t removed, seen; /* entries; at the last second look */
};

/* Some of it; true: there is more to do. `status` is 0 or one of libuv's. */
bool removal_step(struct removal *removal);
void removal_free(struct removal *removal);

#endif
