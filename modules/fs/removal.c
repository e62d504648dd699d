/* removal.c - goes through a tree and removes what it meets. What cannot be
 * removed is left, the first failure is told, and all else goes. */
#include "modules/fs/removal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { STEP_EVENTS = 16 }; /* not many: each may take long */

static int status_of(int result) {
  return result < 0 ? uv_translate_sys_error(errno) : 0;
}

static bool is_full(int status) {
  return status == UV_ENOTEMPTY || status == UV_EEXIST;
}

/* ---- what must not be ---------------------------------------------------- */

static const char *last_part(const char *path, size_t *size) {
  size_t end = strlen(path);
  while (end > 0 && path[end - 1] == '/') end--;
  size_t start = end;
  while (start > 0 && path[start - 1] != '/') start--;
  *size = end - start;
  return path + start;
}

static const char *refuse(const char *path) {
  size_t size;
  const char *last = last_part(path, &size);
  if (size == 0 && path[0] == '/') return "the root directory is not removed";
  if (size > 0 && size <= 2 && strncmp(last, "..", size) == 0)
    return "'.' and '..' are not removed: give the directory its name";
  return NULL;
}

/* It may have another name: "/proc/self/root". */
static bool is_root(int fd) {
  struct stat root, info;
  return stat("/", &root) == 0 && fstat(fd, &info) == 0 &&
         root.st_dev == info.st_dev && root.st_ino == info.st_ino;
}

/* ---- a tree -------------------------------------------------------------- */

static void fail(struct removal *removal, int status) {
  if (removal->status < 0) return;
  removal->status = status;
  removal->failed = strdup(removal->tree.path.at);
}

/* Somebody else may remove the same. */
static bool is_gone(int status) {
  return status == 0 || status == UV_ENOENT;
}

static void count(struct removal *removal, int status) {
  if (is_gone(status))
    removal->removed++;
  else
    fail(removal, status);
}

static void want(struct removal *removal) {
  if (tree_want(&removal->tree) < 0) fail(removal, UV_ENOMEM);
}

static int unlink_name(const struct tree *tree, int flags) {
  return status_of(unlinkat(tree_fd(tree), tree->name, flags));
}

static void take_entry(struct removal *removal) {
  const struct tree *tree = &removal->tree;
  if (tree->kind == KIND_DIRECTORY) {
    want(removal);
    return;
  }
  count(removal, unlink_name(tree, 0));
}

/* What could not be opened may be empty, or be a link by now. */
static void take_failure(struct removal *removal) {
  const struct tree *tree = &removal->tree;
  int status = tree->status;
  if (tree->name[0] == '\0') {
    count(removal, status);
  } else if (status == UV_ENOTDIR || status == UV_ELOOP) {
    count(removal, unlink_name(tree, 0));
  } else {
    if (unlink_name(tree, AT_REMOVEDIR) == 0) status = 0;
    count(removal, status);
  }
}

/* If something is left in it, new or overlooked by the system as what was
 * before it went, there is a second look: as long as that helps. */
static void take_end(struct removal *removal) {
  int status = unlink_name(&removal->tree, AT_REMOVEDIR);
  if (is_full(status) && removal->status < 0) return; /* known */
  if (is_full(status) && removal->removed != removal->seen) {
    removal->seen = removal->removed;
    want(removal);
  } else {
    count(removal, status);
  }
}

/* False: that was the last one. */
static bool step(struct removal *removal) {
  enum tree_event event = tree_next(&removal->tree);
  if (event == TREE_ENTRY)
    take_entry(removal);
  else if (event == TREE_FAILED)
    take_failure(removal);
  else if (event == TREE_LEAVE)
    take_end(removal);
  else if (event == TREE_BROKEN)
    fail(removal, removal->tree.status);
  return event != TREE_BROKEN && event != TREE_END;
}

/* ---- the path itself ----------------------------------------------------- */

static int unlink_path(struct removal *removal, int flags) {
  return status_of(unlinkat(removal->around, removal->name, flags));
}

/* A link with a slash behind it would be followed. */
static void drop_slashes(char *name) {
  size_t size = strlen(name);
  while (size > 0 && name[size - 1] == '/') name[--size] = '\0';
}

static void open_tree(struct removal *removal) {
  int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  drop_slashes(removal->name);
  int fd = openat(removal->around, removal->name, flags);
  if (fd < 0) {
    removal->status = status_of(-1);
  } else if (is_root(fd)) {
    close(fd);
    removal->status = UV_EINVAL;
    removal->why = refuse("/");
  } else {
    removal->status = tree_open(&removal->tree, fd, removal->path);
    removal->is_open = removal->status == 0;
  }
}

/* A file, or a directory that is empty: no tree at all. */
static bool begin(struct removal *removal) {
  removal->why = refuse(removal->path);
  removal->status = removal->why != NULL ? UV_EINVAL : 0;
  if (removal->status < 0) return false;
  int around = descent_around(removal->path, &removal->name);
  removal->status = around;
  if (around < 0) return false;
  removal->around = around;
  removal->status = unlink_path(removal, 0);
  if (removal->status != UV_EISDIR && removal->status != UV_EPERM) return false;
  int status = unlink_path(removal, AT_REMOVEDIR);
  if (status != UV_ENOTDIR) removal->status = status;
  if (is_full(status) && removal->recursive) open_tree(removal);
  return removal->is_open;
}

/* Again, if something came meanwhile. */
static bool end(struct removal *removal) {
  tree_close(&removal->tree);
  removal->tree = (struct tree){0};
  removal->is_open = false;
  if (removal->status < 0) return false;
  int status = unlink_path(removal, AT_REMOVEDIR);
  if (!is_full(status) || removal->removed == removal->seen) {
    removal->status = status;
    return false;
  }
  removal->seen = removal->removed;
  open_tree(removal);
  return removal->is_open;
}

bool removal_step(struct removal *removal) {
  if (!removal->is_open) return begin(removal);
  for (int i = 0; i < STEP_EVENTS; i++)
    if (!step(removal)) return end(removal);
  return true;
}

void removal_free(struct removal *removal) {
  tree_close(&removal->tree);
  if (removal->name != NULL) close(removal->around);
  free(removal->name);
  removal->name = NULL;
  free(removal->failed);
  removal->failed = NULL;
}
