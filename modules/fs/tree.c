/* tree.c - a descent, and the names of the directories that are to come.
 *
 * The names are one stack of bytes: those of a level lie above those of the
 * level before, so the next one to enter is always the last. */
#include "modules/fs/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { MARK_DIRECTORY = 'd', MARK_LINK = 'l' };

/* ---- paths and names ------------------------------------------------------ */

/* The path of the last level, and a name in it. */
static bool set_path(struct tree *tree, const char *name) {
  size_t start = descent_top(&tree->descent)->path, size = strlen(name);
  if (!bytes_reserve(&tree->path, start + size + 2)) return false;
  if (start > 0) tree->path.at[start - 1] = '/'; /* a zero, where it ended */
  memcpy(tree->path.at + start, name, size + 1);
  tree->path.size = start + size;
  tree->name = tree->path.at + start;
  return true;
}

static bool add_name(struct tree *tree, const char *name, char mark) {
  size_t size = strlen(name) + 1, end = tree->names.size;
  if (!bytes_reserve(&tree->names, end + size + 1)) return false;
  tree->names.at[end] = mark;
  memcpy(tree->names.at + end + 1, name, size);
  tree->names.size += size + 1;
  return true;
}

/* Where the last one begins, with its mark: what is before it ends with zero. */
static size_t last_name(const struct tree *tree, size_t start) {
  size_t at = tree->names.size - 1;
  while (at > start && tree->names.at[at - 1] != '\0') at--;
  return at;
}

/* ---- levels -------------------------------------------------------------- */

static void start_level(struct tree *tree) {
  struct level *level = descent_top(&tree->descent);
  level->path = tree->path.size;
  level->names = tree->names.size;
}

int tree_open(struct tree *tree, int fd, const char *path) {
  size_t size = strlen(path);
  int status = descent_enter(&tree->descent, fd, false);
  if (status == 0 && !bytes_reserve(&tree->path, size + 2)) status = UV_ENOMEM;
  if (status < 0) return status;
  memcpy(tree->path.at, path, size + 1);
  if (size > 0 && path[size - 1] != '/') memcpy(tree->path.at + size++, "/", 2);
  tree->path.size = size;
  tree->name = tree->path.at;
  start_level(tree);
  return descent_read(descent_top(&tree->descent));
}

static enum tree_event broken(struct tree *tree, int status) {
  tree->status = status;
  return TREE_BROKEN;
}

static enum tree_event failed(struct tree *tree, int status) {
  tree->status = status;
  return TREE_FAILED;
}

/* With links there are ways that never end: none goes through itself. */
static bool is_loop(const struct tree *tree, int fd) {
  struct stat info;
  return tree->follow && fstat(fd, &info) == 0 &&
         descent_has(&tree->descent, info.st_dev, info.st_ino);
}

static int open_entry(struct tree *tree) {
  int fd = descent_find(&tree->descent, tree->name, tree->follow);
  if (fd < 0 || !is_loop(tree, fd)) return fd;
  close(fd);
  return UV_ELOOP;
}

static enum tree_event enter(struct tree *tree) {
  const struct level *level = descent_top(&tree->descent);
  size_t at = last_name(tree, level->names);
  bool linked = tree->names.at[at] == MARK_LINK;
  if (!set_path(tree, tree->names.at + at + 1)) return broken(tree, UV_ENOMEM);
  tree->names.size = at;
  int fd = open_entry(tree);
  if (fd < 0) return failed(tree, fd);
  int status = descent_enter(&tree->descent, fd, linked);
  if (status < 0) return failed(tree, status);
  size_t name = (size_t)(tree->name - tree->path.at), size = tree->path.size;
  memcpy(tree->path.at + size, "/", 2);
  tree->path.size++;
  start_level(tree);
  tree->path.at[size] = '\0';
  tree->path.size = size;
  tree->name = tree->path.at + name;
  status = descent_read(descent_top(&tree->descent));
  return status < 0 ? broken(tree, status) : TREE_ENTER;
}

static enum tree_event leave(struct tree *tree) {
  size_t end = descent_top(&tree->descent)->path - 1; /* its "/" */
  tree->path.at[end] = '\0';
  tree->path.size = end;
  int status = descent_leave(&tree->descent);
  if (status < 0) return broken(tree, status);
  tree->name = tree->path.at + descent_top(&tree->descent)->path;
  return TREE_LEAVE;
}

/* ---- entries ------------------------------------------------------------- */

static bool is_dots(const char *name) {
  return name[0] == '.' &&
         (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* NULL: that was the last, or errno says why not. */
static struct dirent *read_entry(DIR *dir) {
  struct dirent *entry;
  do {
    errno = 0;
    entry = readdir(dir);
  } while (entry != NULL && is_dots(entry->d_name));
  return entry;
}

/* False: the directory has been read. */
static bool next_entry(struct tree *tree, enum tree_event *event) {
  struct level *level = descent_top(&tree->descent);
  if (level->is_read) return false;
  const struct dirent *entry = read_entry(level->dir);
  int error = errno;
  level->is_read = entry == NULL;
  if (entry == NULL && error == 0) return false;
  if (!set_path(tree, entry == NULL ? "" : entry->d_name)) {
    *event = broken(tree, UV_ENOMEM);
  } else if (entry == NULL) {
    *event = failed(tree, uv_translate_sys_error(error));
  } else {
    tree->type = entry->d_type;
    tree->kind =
      kind_of_entry(level->fd, tree->name, entry->d_type, tree->follow);
    *event = TREE_ENTRY;
  }
  return true;
}

enum tree_event tree_next(struct tree *tree) {
  enum tree_event event;
  if (next_entry(tree, &event)) return event;
  if (tree->names.size > descent_top(&tree->descent)->names) return enter(tree);
  if (tree->descent.depth == 1) return TREE_END;
  return leave(tree);
}

int tree_want(struct tree *tree) {
  bool linked = tree->follow && tree->type != DT_DIR;
  return add_name(tree, tree->name, linked ? MARK_LINK : MARK_DIRECTORY)
           ? 0
           : UV_ENOMEM;
}

int tree_fd(const struct tree *tree) {
  return descent_fd(&tree->descent);
}

size_t tree_depth(const struct tree *tree) {
  return tree->descent.depth;
}

void tree_close(struct tree *tree) {
  descent_close(&tree->descent);
  bytes_free(&tree->path);
  bytes_free(&tree->names);
}
