/* copying.h - copies a file or a tree. In a thread: no Lua, no host.
 *
 * The paths that are given are followed, where they are links; a link in a tree
 * is copied as a link, and nothing is written through one. It ends with the
 * first failure. */
#ifndef MODULES_FS_COPYING_H
#define MODULES_FS_COPYING_H

#include <stdbool.h>
#include <sys/stat.h>

#include "modules/fs/filecopy.h"
#include "modules/fs/tree.h"

struct copying { /* zero, but for the first four */
  const char *from, *to;
  bool recursive, overwrite;
  struct tree tree;         /* the source, where it is one */
  struct descent target;    /* the directory that is written */
  struct filecopy file;     /* that is under way */
  char *name;               /* of a single one: in */
  int around;               /* ... this directory; while there is a name */
  struct stat root, copied; /* the two directories */
  bool is_tree;             /* and has begun */
  int status;
  const char *why; /* a text, or NULL: that of the status */
};

/* Some of it; true: there is more to do. `status` is 0 or one of libuv's. */
bool copying_step(struct copying *copying);
void copying_stop(struct copying *copying); /* no half of a file is left */
/* What it was about, or failed with: below the two paths, or "". */
const char *copying_place(const struct copying *copying);
void copying_free(struct copying *copying);

#endif
