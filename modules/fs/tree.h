/* tree.h - goes through all that is below a directory, step by step.
 *
 * The entries of a directory come one after the other, as the system gives them;
 * then those of its directories that were wanted, the last one first. What has
 * been removed meanwhile is no error of the tree: whoever uses it decides. It
 * keeps the names of directories that are still to come, and nothing else, so
 * that neither a big directory nor a deep one takes much memory.
 * In threads: no Lua, no host. */
#ifndef MODULES_FS_TREE_H
#define MODULES_FS_TREE_H

#include "modules/fs/bytes.h"
#include "modules/fs/descent.h"
#include "modules/fs/kind.h"

enum tree_event {
  TREE_ENTRY,  /* something in a directory */
  TREE_ENTER,  /* a directory that was wanted: its entries follow */
  TREE_LEAVE,  /* ... and are over */
  TREE_FAILED, /* it could not be opened or read: see `status` */
  TREE_BROKEN, /* there is no way on: see `status` */
  TREE_END
};

struct tree {
  bool follow; /* links to directories are directories */
  struct descent descent;
  struct bytes path; /* of what the event is about, ends with a zero */
  const char *name;  /* the last part of it; within tree_fd(tree) */
  enum kind kind;    /* of an entry */
  int status;
  unsigned char type; /* of an entry: its d_type */
  struct bytes names; /* of directories that are to come, a mark before each */
};

/* The directory `fd`, which it takes in any case; `path` is what stands before
 * all paths. The tree is zero before, but for `follow`. */
int tree_open(struct tree *tree, int fd, const char *path);
enum tree_event tree_next(struct tree *tree);
/* The entry, a directory, is wanted; or the one that was left, once more. */
int tree_want(struct tree *tree);
/* The directory in which `name` is; the directory itself for TREE_ENTER. */
int tree_fd(const struct tree *tree);
size_t tree_depth(const struct tree *tree); /* 1: in the first directory */
void tree_close(struct tree *tree);         /* idempotent */

#endif
